//! A sender, given any flow controls, confirmations and times, sends and ends as the reference does: frames of a
//! plain cutting, in order, not more than a flow control allows, never closer than STmin (P6); one outcome (P8).

use core::time::Duration;

use isotp_core::pdu::{FlowControl, FlowStatus};
use isotp_core::{Config, Frame, Half, Instant, Sender, StMin, TxToken};
use isotp_testkit::{Choose as _, pattern};

use crate::model::Sending;
use crate::setup::setup;
use crate::source::Source;
use crate::{Verdict, ensure};

struct Bench {
    sender: Sender<Vec<u8>>,
    model: Sending,
    config: Config,
    half: Half,
    now: Instant,
    /// Of the frames that were committed, by position in the message.
    tokens: Vec<TxToken>,
}

pub(crate) fn check(input: &[u8]) -> Verdict {
    let mut source = Source::new(input);
    let mut config = setup(&mut source).config(0);
    config.transmit.max_wait = (source.below(4) == 3).then(|| source.below(4) as u8);
    let half = crate::pdu::half(&mut source);
    let len = 1 + source.below(300) as usize;
    let len = if source.below(16) == 15 {
        4000 + len
    } else {
        len
    };
    let now = Instant::from_millis(1);
    let mut bench = Bench {
        sender: Sender::new(),
        model: Sending::new(now, config.clone(), half, pattern(1, len)),
        config,
        half,
        now,
        tokens: Vec::new(),
    };
    let refused = bench.sender.send(now, half, &bench.config, pattern(1, len));
    ensure!(refused.is_ok(), "{len} bytes were refused");
    while !source.is_empty() {
        bench.step(&mut source)?;
        let outcome = bench.sender.poll_confirm().map(|result| result.name());
        let expected = bench.model.outcome();
        ensure!(
            outcome == expected,
            "P8: ended with {outcome:?}, expected {expected:?}"
        );
        bench.compare_deadline()?;
        if outcome.is_some() {
            ensure!(
                bench.sender.poll_confirm().is_none(),
                "P8: a second outcome"
            );
            return Ok(());
        }
    }
    Ok(())
}

impl Bench {
    fn step(&mut self, source: &mut Source<'_>) -> Verdict {
        let newest = self.tokens.len().wrapping_sub(1);
        match source.below(16) {
            0 | 1 => self.pass(self.now + Duration::from_micros(source.below(200_000)))?,
            2 | 3 => {
                // as late as nothing was missed yet, or to the microsecond
                let next = self.sender.poll_timeout(&self.config).map(|next| next.at);
                self.now = next.unwrap_or(self.now);
                if source.flag() {
                    self.pass(self.now)?;
                }
            }
            4..8 => {
                let flow = flow(source);
                self.model.flow(self.now, flow);
                // what it ignores is seen by what does not come of it
                let _ = self
                    .sender
                    .handle_flow_control(self.now, &self.config, flow);
            }
            8..11 => self.confirm(newest),
            11 => self.confirm(source.below(self.tokens.len() as u64) as usize),
            12 => self.fail(newest),
            13 => {
                // a sender does not look at the half that names a link
                let bits = source.long();
                let own = |token: &TxToken| token.to_bits() as u32 == bits as u32;
                if !self.tokens.iter().any(own) {
                    self.stale(TxToken::from_bits(bits))?;
                }
            }
            14 => return self.poll(Some(source.below(8) > 0)),
            _ => {
                if source.below(8) == 7 {
                    self.model.aborted();
                    self.sender.abort();
                }
            }
        }
        self.poll(None)?;
        self.poll(Some(true))
    }

    fn pass(&mut self, now: Instant) -> Verdict {
        self.now = now;
        self.model.time(now);
        self.sender.handle_timeout(now, &self.config);
        let next = self.sender.poll_timeout(&self.config);
        ensure!(next.is_none_or(|next| next.at > now), "P1: {next:?}");
        Ok(())
    }

    fn confirm(&mut self, index: usize) {
        if let Some(token) = self.tokens.get(index) {
            self.model.confirmed(self.now, index);
            self.sender
                .handle_transmitted(self.now, &self.config, *token);
        }
    }

    fn fail(&mut self, index: usize) {
        if let Some(token) = self.tokens.get(index) {
            self.model.failed(index);
            self.sender.handle_failed(*token);
            self.tokens.truncate(self.model.count());
        }
    }

    /// What was over before may be told as over since any time.
    fn stale(&mut self, token: TxToken) -> Verdict {
        let before = self.sender.poll_timeout(&self.config);
        self.sender
            .handle_transmitted(self.now, &self.config, token);
        self.sender.handle_failed(token);
        let after = self.sender.poll_timeout(&self.config);
        ensure!(
            before == after,
            "P6: a stale token moved {before:?} to {after:?}"
        );
        Ok(())
    }

    /// Compares the frame that may go. It is taken, or refused for ever, or left where it is.
    fn poll(&mut self, taken: Option<bool>) -> Verdict {
        let mut frame = Frame::new();
        let transmit = self
            .sender
            .poll_transmit(self.now, self.half, &self.config, &mut frame);
        let offered = transmit.is_some().then(|| frame.data());
        let expected = self.model.offer(self.now);
        ensure!(
            offered == expected.as_deref(),
            "P6: offers {offered:02X?} at {:?}, expected {expected:02X?}",
            self.now
        );
        match (transmit, taken) {
            (Some(transmit), Some(true)) => {
                self.tokens.push(transmit.commit(self.now));
                self.model.committed(self.now);
            }
            (Some(transmit), Some(false)) => {
                transmit.reject(self.now);
                self.model.aborted();
            }
            _ => {}
        }
        Ok(())
    }

    fn compare_deadline(&self) -> Verdict {
        let deadline = self.sender.poll_timeout(&self.config).map(|next| next.at);
        let expected = self.model.deadline().map(|at| at.max(self.now));
        ensure!(
            deadline == expected,
            "P2: deadline {deadline:?}, expected {expected:?}"
        );
        Ok(())
    }
}

fn flow(source: &mut Source<'_>) -> FlowControl {
    FlowControl {
        status: match source.below(10) {
            0 | 1 => FlowStatus::Wait,
            2 => FlowStatus::Overflow,
            3 => FlowStatus::Reserved(3 + source.below(13) as u8),
            _ => FlowStatus::ContinueToSend,
        },
        block_size: source.below(4) as u8,
        st_min: StMin::from_wire(source.byte()),
    }
}
