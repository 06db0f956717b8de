//! Identifiers, addresses, configurations, frames, times and the codec.

use core::time::Duration;

use isotp_core::pdu::{self, FlowControl, FlowStatus, Pdu, Reading};
use isotp_core::{
    Address, AddressFormat, Cause, ChangeError, Config, Confirmation, Duplex, FlowControlUse,
    Frame, FrameKind, FrameView, Half, Id, Instant, NResult, Parameter, RxPadding, StMin, TxToken,
};

use crate::{bytes, call, opaque};

pub(crate) fn all() {
    ids();
    times();
    configs();
    halves();
    addresses();
    frames();
    codec();
    outcomes();
}

pub(crate) fn id() -> Id {
    opaque(
        Id::standard(opaque(1))
            .or(Id::extended(opaque(2)))
            .unwrap_or(opaque(ID)),
    )
}

pub(crate) fn instant() -> Instant {
    opaque(Instant::from_micros(opaque(1)))
}

pub(crate) fn half() -> Half {
    opaque(Half::extended(id(), opaque(3)))
}

pub(crate) fn address() -> Address {
    opaque(ADDRESS)
}

/// Each field of any value that a caller can give it.
pub(crate) fn config() -> Config {
    let mut config = opaque(Config::new());
    config.kind = kind();
    config.transmit.tx_dl = opaque(8);
    config.receive.padding = opaque(RxPadding::Any);
    config.duplex = opaque(Duplex::Full);
    config.confirmation = opaque(Confirmation::OnCommit);
    config.transmit.flow_control = opaque(FlowControlUse::Every);
    opaque(config)
}

pub(crate) fn kind() -> FrameKind {
    opaque(FrameKind::Classic)
}

pub(crate) fn view() -> FrameView<'static> {
    opaque(FrameView {
        id: id(),
        kind: kind(),
        data: bytes(),
    })
}

pub(crate) fn frame() -> Frame {
    opaque(Frame::new())
}

pub(crate) fn flow() -> FlowControl {
    opaque(FlowControl {
        status: opaque(FlowStatus::Wait),
        block_size: opaque(0),
        st_min: StMin::from_wire(opaque(0)),
    })
}

pub(crate) fn token() -> TxToken {
    opaque(TxToken::from_bits(opaque(7)))
}

const ID: Id = match Id::standard(1) {
    Ok(id) => id,
    Err(_) => panic!(),
};
const ADDRESS: Address = match Address::normal_fixed(1, 2) {
    Ok(address) => address,
    Err(_) => panic!(),
};

fn ids() {
    call!(Id::standard(opaque(1)); Id::extended(opaque(1)); id().value(); id().is_extended());
    call!(id().arbitration_key(); id().cmp(&id()); id().partial_cmp(&id()); id() == id());
    call!(embedded_can::Id::from(id()); Id::from(opaque(embedded_can::Id::from(id()))));
    call!(embedded_can::StandardId::try_from(id()); embedded_can::ExtendedId::try_from(id()));
    call!(Id::from(opaque(embedded_can::StandardId::MAX)));
    call!(Id::from(opaque(embedded_can::ExtendedId::MAX)));
}

fn times() {
    let long = || opaque(Duration::from_nanos(opaque(1)));
    call!(Instant::from_millis(opaque(1)); instant().as_micros());
    call!(instant().saturating_duration_since(instant()); instant().saturating_add(long()));
    call!(instant() + long(); instant() - instant(); instant() < instant());
    call!(StMin::from_code(opaque(1)); StMin::from_wire(opaque(1)); StMin::at_least(long()));
    call!(StMin::try_from(opaque(1)); u8::from(StMin::from_wire(opaque(1))));
    call!(StMin::from_wire(opaque(1)).code(); StMin::from_wire(opaque(1)).duration());
}

fn configs() {
    call!(Config::new(); Config::uds(); Config::obd(); Config::linux_kernel(); Config::listening());
    call!(Config::fd(opaque(64), opaque(true)); Config::default(); config().check());
    call!(config() == config());
}

fn halves() {
    call!(Half::normal(id()); Half::normal_fixed(opaque(1), opaque(2)); Half::extended(id(), opaque(1)));
    call!(Half::mixed_11(id(), opaque(1)); Half::mixed_29(opaque(1), opaque(2), opaque(3)));
    call!(half().id(); half().format(); half().byte(); half().prefix_len());
    call!(Address::from_halves(half(), half()); half().format() == opaque(AddressFormat::Normal));
}

fn addresses() {
    let byte = || opaque(1_u8);
    call!(Address::normal(id(), id()); Address::normal_fixed(byte(), byte()));
    call!(Address::extended(id(), byte(), id(), byte()); Address::mixed_11(id(), id(), byte()));
    call!(Address::mixed_29(byte(), byte(), byte()); address().with_functional_tx(id()));
    call!(address().with_functional_tx_to(id(), byte()); address().with_functional_rx(id()));
    call!(address().with_functional_rx_to(id(), byte()); address().with_functional_target(byte()));
    call!(address().with_functional_group(byte()); address().with_priority(byte()));
    call!(address().with_any_source(); address().reversed(); address().tx(); address().rx());
    call!(address().functional_tx(); address().functional_rx(); address().any_source());
    call!(address().n_ta_type(kind(), opaque(true)); address().is_remote(); address() == address());
}

fn frames() {
    let mut one = frame();
    call!(one.copy_from(view()); one.id(); one.kind(); one.data(); one.view(); one == frame());
    call!(kind().is_fd(); kind().max_len(); kind() == kind(); Frame::default());
    call!(FrameView::from_embedded_can(kind(), &opaque(CanFrame)));
    call!(frame().to_embedded_can::<CanFrame>().is_some());
}

fn codec() {
    let reading = opaque(Reading {
        padding: opaque(RxPadding::Padded),
        lenient_length: opaque(false),
    });
    call!(Pdu::decode(bytes(), opaque(0), reading); Reading::default());
    let size = opaque(1);
    for pdu in [
        Pdu::SingleFrame { data: bytes() },
        Pdu::FirstFrame {
            size,
            data: bytes(),
        },
        Pdu::ConsecutiveFrame {
            sequence_number: opaque(1),
            data: bytes(),
        },
        Pdu::FlowControl(flow()),
    ] {
        let mut frame = frame();
        call!(opaque(pdu).encode(half(), &config(), &mut frame); frame.data());
    }
    call!(pdu::single_capacity(opaque(8), opaque(1)); pdu::first_capacity(opaque(8), opaque(1), size));
    call!(pdu::consecutive_capacity(opaque(8), opaque(1)));
}

fn outcomes() {
    let result = || opaque(NResult::Error(opaque(Cause::Aborted)));
    call!(result().name(); result().is_ok(); opaque(ChangeError::Receiving).name());
    call!(token().slot(); token().to_bits(); token() == token());
    call!(core::str::from_utf8(bytes()).map(str::parse::<Parameter>));
}

/// A driver's frame.
struct CanFrame;

impl embedded_can::Frame for CanFrame {
    fn new(_: impl Into<embedded_can::Id>, data: &[u8]) -> Option<Self> {
        (data.len() <= opaque(8)).then_some(Self)
    }
    fn new_remote(_: impl Into<embedded_can::Id>, _: usize) -> Option<Self> {
        None
    }
    fn is_extended(&self) -> bool {
        opaque(false)
    }
    fn is_remote_frame(&self) -> bool {
        opaque(false)
    }
    fn id(&self) -> embedded_can::Id {
        id().into()
    }
    fn dlc(&self) -> usize {
        opaque(8)
    }
    fn data(&self) -> &[u8] {
        bytes()
    }
}
