//! What a connection can promise, which depends on the way its messages go.

use core::fmt;

/// What a connection guarantees. On frame buses it is everything.
///
/// | way | confirmation | back_pressure | abort | timing | functional | address |
/// |---|---|---|---|---|---|---|
/// | own stack on a frame bus | yes | yes | yes | yes | yes | yes |
/// | the kernel's ISO-TP on Linux | yes | no | no | no | no | yes |
/// | anything else | says it here | | | | | |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Guarantees {
    /// `send` resolves with the N_Result of that message, after its last frame is on the bus.
    pub confirmation: bool,
    /// While the queue of received messages is full, the peer is held back with FC.WAIT.
    pub back_pressure: bool,
    /// A dropped `send` ends its transfer.
    pub abort: bool,
    /// All timers and both WAIT limits of the configuration are honoured.
    pub timing: bool,
    /// Functional messages can be sent and received.
    pub functional: bool,
    /// The address is that of the connection; otherwise whoever is at the other end chose it.
    pub address: bool,
}

impl Guarantees {
    /// The whole contract, as the own stack keeps it.
    pub const FULL: Self = Self {
        confirmation: true,
        back_pressure: true,
        abort: true,
        timing: true,
        functional: true,
        address: true,
    };
    /// Messages get through, and nothing else is promised: to build on with
    /// [`with`](Self::with).
    pub const NONE: Self = Self {
        confirmation: false,
        back_pressure: false,
        abort: false,
        timing: false,
        functional: false,
        address: false,
    };

    /// These guarantees, changed.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// Which way the messages of a connection go, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    name: String,
    reason: Option<String>,
}

impl Path {
    /// A way, by the name that the user knows it by, such as `virtual:demo`.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reason: None,
        }
    }

    /// Adds what decided, where there was a choice.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The name of the way.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What decided; `None` where there was no choice.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}
