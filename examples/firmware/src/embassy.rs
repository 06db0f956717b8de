//! A task for embassy: a link over the two halves of an asynchronous CAN driver.
//!
//! [`run`] waits for whatever comes first: a frame, room for a frame, a request of the application, the
//! link's next deadline. [`Read`] and [`Write`] are the driver as far as it is needed; for embassy-stm32
//! each is a few lines (`examples/embassy-stm32` has them for FDCAN).
//!
//! # Traps of the drivers
//! Two frames of one transfer must never change their order on the way to the bus.
//! - **FDCAN** (embassy-stm32): the transmit mode is `TxBufferMode::Priority` at first. `write` may then
//!   replace a frame of lower priority that waits, and returns it. Set `TxBufferMode::Fifo`, or let
//!   [`Write::write`] return that frame: [`run`] sends it again before any other.
//! - **bxCAN** (embassy-stm32): mailboxes go out by id and then by mailbox number, so frames of one id
//!   overtake each other. Call `set_tx_fifo_scheduling(true)` before you enable the controller.
//!   `write` may hand a frame back here too: `TransmitStatus::dequeued_frame`.
//! - **TWAI** (esp-hal): dropping the future of a transmission may abort it too late, so that the frame
//!   goes out and is sent once more. Keep that future in your [`Write`] and go on with it.

use embassy_futures::select::{Either4, select4};
use embassy_futures::yield_now;
use embassy_sync::blocking_mutex::raw::RawMutex;
use embassy_sync::channel::Receiver;
use embassy_time::{Instant as Clock, TICK_HZ, Timer};
use isotp_core::{
    Config, Event, Frame, Instant, Link, Machine, Payload, RxBuffer, SendError, Transmit,
};

/// The receiving half of a CAN driver.
pub trait Read {
    /// Waits for a frame and writes it into `frame`; says when it came. Errors of the bus are no frames:
    /// wait on. A future that is dropped must have taken no frame.
    fn read(&mut self, frame: &mut Frame) -> impl Future<Output = Instant>;
}

/// The sending half of a CAN driver.
pub trait Write {
    /// Waits until the controller takes `frame`; gives the frame that it handed back for it. A future
    /// that is dropped must have sent nothing.
    fn write(&mut self, frame: &Frame) -> impl Future<Output = Option<Frame>>;
}

/// Serves the link for ever. `told` hears what happened, and why a request was refused.
///
/// Requests wait in their channel while a message is being sent.
pub async fn run<B, P, S, M, const N: usize>(
    link: &mut Link<B, P, &'static Config, S>,
    can: (&mut impl Read, &mut impl Write),
    requests: Receiver<'_, M, P, N>,
    mut told: impl FnMut(Result<Event<'_, B>, SendError>),
) -> !
where
    B: RxBuffer,
    P: Payload,
    S: AsRef<[u8]> + AsMut<[u8]>,
    M: RawMutex,
{
    let (reader, writer) = can;
    let (mut received, mut outgoing) = (Frame::new(), Frame::new());
    // what the controller handed back: it goes out before anything else
    let mut held: Option<Frame> = None;
    loop {
        while let Some(event) = link.poll_event() {
            told(Ok(event));
        }
        let now = now();
        let may_send = !link.is_sending();
        // polling can start a timer, so the deadline is asked for afterwards
        let _ = link.poll_transmit(now, &mut outgoing);
        let deadline = link.poll_timeout().map(|next| next.at);
        // held while we wait: dropped without a commit, the link offers the frame again
        let offer = match held {
            Some(_) => None,
            None => link.poll_transmit(now, &mut outgoing),
        };
        let frame = match (&held, &offer) {
            (Some(back), _) => Some(back),
            (None, Some(_)) => Some(&outgoing),
            (None, None) => None,
        };
        let first = select4(
            reader.read(&mut received),
            write(writer, frame),
            request(&requests, may_send),
            sleep_until(deadline),
        );
        match first.await {
            Either4::First(at) => link.handle_frame(at, received.view()),
            Either4::Second(displaced) => {
                offer.map(|offer: Transmit<'_>| offer.commit(self::now()));
                held = displaced;
                if held.is_some() {
                    // a controller that hands it back each time must keep nobody from running
                    yield_now().await;
                    link.handle_timeout(self::now());
                }
            }
            Either4::Third(payload) => {
                if let Err(refused) = link.send(self::now(), payload) {
                    told(Err(refused.error));
                }
            }
            Either4::Fourth(()) => link.handle_timeout(self::now()),
        }
    }
}

/// embassy's clock as the core counts it.
#[must_use]
pub fn now() -> Instant {
    Instant::from_micros(Clock::now().as_micros())
}

async fn write(writer: &mut impl Write, frame: Option<&Frame>) -> Option<Frame> {
    match frame {
        Some(frame) => writer.write(frame).await,
        None => core::future::pending().await,
    }
}

async fn request<M: RawMutex, P, const N: usize>(
    requests: &Receiver<'_, M, P, N>,
    may_send: bool,
) -> P {
    if may_send {
        requests.receive().await
    } else {
        core::future::pending().await
    }
}

/// A tick may be longer than a microsecond: it wakes at the first one that is not before the deadline.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => {
            let ticks = (u128::from(at.as_micros()) * u128::from(TICK_HZ)).div_ceil(1_000_000);
            Timer::at(Clock::from_ticks(ticks as u64)).await;
        }
        None => core::future::pending().await,
    }
}
