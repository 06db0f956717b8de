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

/// What the user has to be told next.
pub(crate) enum Told {
    Failed(NResult),
    FirstFrame { size: u32, source: u8 },
    Single { len: u8, source: u8 },
    Complete { size: u32, source: u8 },
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
        let told = match core::mem::replace(&mut self.before, Before::Told) {
            Before::Failed(result) => Some(Told::Failed(result)),
            Before::Complete => Some(Told::Complete {
                size: core::mem::take(&mut self.filled),
                source: self.before_source,
            }),
            Before::Told if core::mem::take(&mut self.announced) => Some(Told::FirstFrame {
                size: self.size,
                source: self.source,
            }),
            Before::Told => self.tell_outcome(),
        };
        self.settle_news();
        told
    }

    fn tell_outcome(&mut self) -> Option<Told> {
        let told = match self.phase {
            Phase::Single => Told::Single {
                len: self.size as u8,
                source: self.source,
            },
            Phase::Complete => Told::Complete {
                size: self.size,
                source: self.source,
            },
            Phase::Failed => Told::Failed(self.result),
            _ => return None,
        };
        self.phase = Phase::Idle;
        Some(told)
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
