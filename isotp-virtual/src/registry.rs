//! The named buses of this process.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, Weak};

use crate::bus::{Options, Shared, VirtualBus};

static BUSES: Mutex<BTreeMap<String, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// The bus of this name; if there is none, a new one with `options`. Without options, any will do.
pub(crate) fn find_or_create(
    name: &str,
    options: Option<Options>,
) -> Result<VirtualBus, NameInUse> {
    let mut buses = BUSES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bus) = buses.get(name).and_then(VirtualBus::upgrade) {
        return match options {
            Some(options) if options != *bus.options() => Err(NameInUse {
                name: name.to_owned(),
            }),
            _ => Ok(bus),
        };
    }
    buses.retain(|_, bus| bus.strong_count() > 0);
    let bus = VirtualBus::new(options.unwrap_or_default());
    buses.insert(name.to_owned(), bus.downgrade());
    Ok(bus)
}

/// There is a bus of this name, with other options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameInUse {
    name: String,
}

impl fmt::Display for NameInUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "virtual bus {:?} exists with other options; open it without any, or choose another name",
            self.name
        )
    }
}

impl core::error::Error for NameInUse {}
