//! What the link under test lives in: itself, or a router with others.

use isotp_core::{
    Address, Config, ConfigError, Event, Id, Instant, Link, LinkId, Machine, Router, Slot,
};

use super::upper::{Buffer, Bytes};

pub(crate) type Tested = Link<Buffer, Bytes, Box<Config>>;

/// One link, driven alone or by a router.
#[expect(clippy::large_enum_variant, reason = "one of them exists at a time")]
pub(crate) enum Host {
    Alone(Tested),
    Routed {
        router: Router<[Slot<Tested>; 3]>,
        id: LinkId,
    },
}

impl Host {
    pub(crate) const fn alone(link: Tested) -> Self {
        Self::Alone(link)
    }

    /// Beside two links that never have anything to do.
    pub(crate) fn routed(link: Tested) -> Result<Self, ConfigError> {
        let mut router = Router::new([const { Slot::new() }; 3]);
        let mut insert = |link| router.insert(link).expect("the addresses differ");
        insert(idle(0x10)?);
        let id = insert(link);
        insert(idle(0x20)?);
        Ok(Self::Routed { router, id })
    }

    /// The frame side.
    pub(crate) fn machine(&mut self) -> &mut dyn Machine {
        match self {
            Self::Alone(link) => link,
            Self::Routed { router, .. } => router,
        }
    }

    /// The link, for commands.
    pub(crate) fn link(&mut self) -> &mut Tested {
        match self {
            Self::Alone(link) => link,
            Self::Routed { router, id } => router.link_mut(*id).expect("the link is there"),
        }
    }

    /// Whether the request was accepted.
    pub(crate) fn request(&mut self, now: Instant, payload: Bytes, functional: bool) -> bool {
        match self {
            Self::Alone(link) if functional => link.send_functional(now, payload).is_ok(),
            Self::Alone(link) => link.send(now, payload).is_ok(),
            Self::Routed { router, id } if functional => {
                router.send_functional(now, *id, payload).is_ok()
            }
            Self::Routed { router, id } => router.send(now, *id, payload).is_ok(),
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event<'_, Buffer>> {
        match self {
            Self::Alone(link) => link.poll_event(),
            Self::Routed { router, id } => {
                let (from, event) = router.poll_event()?;
                assert_eq!(from, *id, "the other links are idle");
                Some(event)
            }
        }
    }
}

/// A link on ids that no vector uses.
fn idle(low: u16) -> Result<Tested, ConfigError> {
    let id = |value| Id::standard(value).expect("11 bits");
    let address = Address::normal(id(low), id(low + 1)).expect("two ids");
    let config = Box::new(Config::new());
    Link::with_spare(address, config, Buffer::new(100), [[0; 62]; 2])
}
