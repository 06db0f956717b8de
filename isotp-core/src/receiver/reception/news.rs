//! What the user was not told yet, and in which order it is told (`UNX-02`).

use super::{Phase, Reception};
use crate::error::NResult;

/// How the reception before this one ended, if the user has not been told yet (`UNX-02`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Told,
    Failed(NResult),
    /// Its message is still in the buffer.
    Complete,
}

/// What the user has to be told next, and of which message.
pub(crate) struct Told {
    pub(crate) what: What,
    pub(crate) size: u32,
    pub(crate) source: u8,
}

/// What happened to a message.
pub(crate) enum What {
    Failed(NResult),
    /// It is announced.
    FirstFrame,
    /// It is in the spare memory.
    Single,
    /// It is in the buffer.
    Complete,
}

impl Reception {
    /// Makes way for a valid single or first frame (`UNX-01`). `false`, and no change, if the user has
    /// not yet been told of what was before.
    pub(crate) fn supersede(&mut self) -> bool {
        if self.before != Before::Told || self.announced || self.phase == Phase::Single {
            return false;
        }
        self.before = match self.phase {
            Phase::Failed => Before::Failed(self.result),
            Phase::Complete => Before::Complete,
            Phase::SentContinue if self.filled == self.size && !self.is_doomed() => {
                Before::Complete
            }
            _ if self.is_active() => Before::Failed(NResult::UnexpectedPdu),
            _ => Before::Told,
        };
        self.before_source = self.source;
        self.phase = Phase::Idle;
        self.settle_news();
        true
    }

    /// What the user has to be told next, in the order in which it happened.
    pub(crate) fn tell(&mut self) -> Option<Told> {
        let (mut size, mut source) = (self.size, self.source);
        let what = match core::mem::replace(&mut self.before, Before::Told) {
            Before::Failed(result) => What::Failed(result),
            Before::Complete => {
                size = core::mem::take(&mut self.filled);
                source = self.before_source;
                What::Complete
            }
            Before::Told if core::mem::take(&mut self.announced) => What::FirstFrame,
            Before::Told => {
                let what = match self.phase {
                    Phase::Single => What::Single,
                    Phase::Complete => What::Complete,
                    Phase::Failed => What::Failed(self.result),
                    _ => return None,
                };
                self.phase = Phase::Idle;
                what
            }
        };
        self.settle_news();
        Some(Told { what, size, source })
    }

    /// Whether [`tell`](Self::tell) has something to say.
    #[inline]
    pub(crate) const fn has_news(&self) -> bool {
        self.news
    }

    pub(super) fn settle_news(&mut self) {
        self.news = self.before != Before::Told
            || self.announced
            || (Phase::Single..=Phase::Failed).contains(&self.phase);
    }
}
