//! What the channels of a link have in common: one clock, and for each its timer and its frame numbers.

use crate::time::Instant;

/// The three kinds of frames of a link that await a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    Data = 0,
    FlowControl = 1,
    Functional = 2,
}

/// The clock of a link, and the timer and the frame numbers of each channel.
///
/// A channel has one timer at a time, and what it lasts is for the owner to say. Of its start only the
/// lower 32 bits are kept, 71 minutes, though a clock may jump by any time. So that no start is ever
/// further back than that, each time the clock enters another [era](ERA_BITS) all starts that lie more
/// than [`LONGEST`] back are moved up to it: their timers have run out and stay so.
#[derive(Debug)]
pub(crate) struct Channels {
    now: Instant,
    data: Progress,
    flow_control: Progress,
    functional: Progress,
}

/// One channel.
#[derive(Clone, Copy, Debug)]
struct Progress {
    /// When the timer was started: the lower half of an instant.
    since: u32,
    /// The number of the next frame to be committed. It outlives the messages, so that a late
    /// confirmation is never credited to a later one (`TIM-11`).
    next_frame: u32,
}

impl Channels {
    pub(crate) const fn new() -> Self {
        // any start will do while no timer runs; all zeros would be cleared by a call, of 174 bytes
        // on a Cortex-M
        const NEW: Progress = Progress {
            since: 1,
            next_frame: 0,
        };
        Self {
            now: Instant::ZERO,
            data: NEW,
            flow_control: NEW,
            functional: NEW,
        }
    }

    /// Sets the clock; it never runs backward.
    pub(crate) fn advance(&mut self, now: Instant) {
        let now = now.max(self.now);
        if (now.as_micros() ^ self.now.as_micros()) >> ERA_BITS != 0 {
            self.enter_era(now);
        }
        self.now = now;
    }

    /// The same for the frames that mostly come and go: it stands still between most calls.
    #[inline]
    pub(crate) fn keep_up(&mut self, now: Instant) {
        if now > self.now {
            self.advance(now);
        }
    }

    /// Starts the timer of a channel.
    #[inline]
    pub(crate) const fn start(&mut self, channel: Channel) {
        self.of_mut(channel).since = self.now.as_micros() as u32;
    }

    /// Whether the timer of a channel has run out, if it lasts `micros`: whether the
    /// [`deadline`](Self::deadline) is not later than the clock.
    pub(crate) fn is_due(&self, channel: Channel, micros: u32) -> bool {
        self.elapsed(channel) >= micros || self.now == Instant::MAX
    }

    /// When the timer of a channel runs out, if it lasts `micros`.
    #[inline]
    pub(crate) const fn deadline(&self, channel: Channel, micros: u32) -> Instant {
        let elapsed = self.elapsed(channel);
        self.now.after_micros(micros.saturating_sub(elapsed))
    }

    /// The number of the next frame of a channel.
    #[inline]
    pub(crate) const fn next_frame(&self, channel: Channel) -> u32 {
        self.of(channel).next_frame & SEQUENCE_MASK
    }

    /// Numbers a frame that is being committed.
    #[inline]
    pub(crate) const fn number_frame(&mut self, channel: Channel) -> u32 {
        let progress = self.of_mut(channel);
        let frame = progress.next_frame;
        progress.next_frame = frame.wrapping_add(1);
        frame & SEQUENCE_MASK
    }

    /// How many frames of the channel were committed after `frame`.
    #[inline]
    pub(crate) const fn younger(&self, channel: Channel, frame: u32) -> u32 {
        let next = self.of(channel).next_frame;
        next.wrapping_sub(frame).wrapping_sub(1) & SEQUENCE_MASK
    }

    /// The numbers of the next frames.
    pub(crate) const fn frame_numbers(&self) -> [u32; 3] {
        [
            self.data.next_frame,
            self.flow_control.next_frame,
            self.functional.next_frame,
        ]
    }

    pub(crate) const fn set_frame_numbers(&mut self, numbers: [u32; 3]) {
        [
            self.data.next_frame,
            self.flow_control.next_frame,
            self.functional.next_frame,
        ] = numbers;
    }

    #[cold]
    fn enter_era(&mut self, now: Instant) {
        let passed = now.as_micros() - self.now.as_micros();
        for channel in [Channel::Data, Channel::FlowControl, Channel::Functional] {
            let elapsed = passed.saturating_add(u64::from(self.elapsed(channel)));
            let elapsed = elapsed.min(LONGEST) as u32;
            self.of_mut(channel).since = (now.as_micros() as u32).wrapping_sub(elapsed);
        }
    }

    #[inline]
    const fn elapsed(&self, channel: Channel) -> u32 {
        (self.now.as_micros() as u32).wrapping_sub(self.of(channel).since)
    }

    #[inline]
    const fn of(&self, channel: Channel) -> &Progress {
        match channel {
            Channel::Data => &self.data,
            Channel::FlowControl => &self.flow_control,
            Channel::Functional => &self.functional,
        }
    }

    #[inline]
    const fn of_mut(&mut self, channel: Channel) -> &mut Progress {
        match channel {
            Channel::Data => &mut self.data,
            Channel::FlowControl => &mut self.flow_control,
            Channel::Functional => &mut self.functional,
        }
    }
}

/// Frame numbers wrap after 2^30 frames.
const SEQUENCE_MASK: u32 = u32::MAX >> 2;

/// An era is 2^29 microseconds, nine minutes: with [`LONGEST`] less than 2^32.
const ERA_BITS: u32 = 29;

/// Microseconds; no timer lasts longer.
const LONGEST: u64 = 3_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    /// Steps of all sizes, in all sums: what has run out stays so, what has not is exact.
    #[test]
    fn a_timer_is_exact_for_an_hour_and_then_stays_run_out() {
        for step in [
            1, 7, 100, 536, 537, 1000, 3600, 4000, 4294, 4295, 5000, 9000,
        ] {
            for start in [0, 1, 4_294_967_295, 4_294_967_296, u64::MAX / 2] {
                let mut channels = Channels::new();
                channels.advance(Instant::from_micros(start));
                channels.start(Channel::Data);
                let mut passed = 0;
                while passed < 20_000 * SECOND {
                    passed += step * SECOND;
                    let now = Instant::from_micros(start + passed);
                    channels.advance(now);
                    for lasts in [1, 1_000_000, 3_599_000_000u32] {
                        let due = channels.deadline(Channel::Data, lasts);
                        let expected = now.max(Instant::from_micros(start + u64::from(lasts)));
                        assert_eq!(due, expected, "start {start}, passed {passed}");
                        assert_eq!(channels.is_due(Channel::Data, lasts), due <= now);
                    }
                }
            }
        }
    }

    #[test]
    fn a_deadline_beyond_the_end_of_time_is_the_end_of_time() {
        let mut channels = Channels::new();
        channels.advance(Instant::from_micros(u64::MAX - 5));
        channels.start(Channel::Data);
        assert_eq!(channels.deadline(Channel::Data, 6), Instant::MAX);
        assert!(!channels.is_due(Channel::Data, 6));
        channels.advance(Instant::MAX);
        assert_eq!(channels.deadline(Channel::Data, 1_000_000), Instant::MAX);
        assert!(channels.is_due(Channel::Data, 1_000_000));
    }

    #[test]
    fn the_clock_never_runs_backward() {
        let mut channels = Channels::new();
        channels.advance(Instant::from_millis(2));
        channels.advance(Instant::from_millis(1));
        assert_eq!(channels.now, Instant::from_millis(2));
    }

    /// Starts that lie further back than any timer are moved up with each era, and not more often.
    #[test]
    fn starts_are_moved_when_an_era_is_entered() {
        let mut channels = Channels::new();
        channels.start(Channel::Data);
        let era = |count: u64| Instant::from_micros(count << ERA_BITS);
        channels.advance(era(8));
        let since = channels.data.since;
        assert_eq!(u64::from(since), era(8).as_micros() - LONGEST);
        channels.advance(Instant::from_micros(era(9).as_micros() - 1));
        assert_eq!(channels.data.since, since);
        channels.advance(era(9));
        assert_eq!(u64::from(channels.data.since), era(9).as_micros() - LONGEST);
    }
}
