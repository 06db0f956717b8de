//! The links of the scripts.

use isotp_core::StMin;

use crate::parameters::{Addressing, Parameters};

pub(super) fn cc() -> Parameters {
    Parameters::default()
}

/// CC in blocks of one, with a separation time.
pub(super) fn blocks() -> Parameters {
    Parameters {
        block_size: 1,
        st_min: StMin::from_wire(5),
        ..cc()
    }
}

pub(super) fn fd() -> Parameters {
    Parameters {
        fd: Some(64),
        ..cc()
    }
}

pub(super) fn extended() -> Parameters {
    Parameters {
        address: Addressing::Extended11.address(),
        ..cc()
    }
}

pub(super) fn mixed() -> Parameters {
    Parameters {
        address: Addressing::Mixed11.address(),
        ..cc()
    }
}

pub(super) fn fixed() -> Parameters {
    Parameters {
        address: Addressing::Fixed.address(),
        ..cc()
    }
}
