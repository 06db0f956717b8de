//! A bus of one's own: a wire between two nodes, each with a network and a connection.
//!
//! `cargo run --example custom_bus`
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use isotp_driver::{Arrival, Bus, BusError, Frame, Instant, Interest, Taken, TxToken};
use isotp_tokio::{Address, Config, Id, Network};

/// One end of the wire. What an end sends waits at the other; so many frames fit on the wire.
struct End {
    wire: Arc<Mutex<[Direction; 2]>>,
    side: usize,
}

#[derive(Default)]
struct Direction {
    frames: VecDeque<Frame>,
    /// The end that waits for frames, and the one that waits for room.
    reader: Option<Waker>,
    writer: Option<Waker>,
}

const ROOM: usize = 4;

impl Bus for End {
    fn try_send(&mut self, _: Instant, frame: &Frame, _: TxToken) -> Result<Taken, BusError> {
        let mut wire = self.wire.lock().expect("no end panics");
        let out = &mut wire[self.side];
        if out.frames.len() == ROOM {
            return Ok(Taken::Later);
        }
        out.frames.push_back(frame.clone());
        out.reader.take().into_iter().for_each(Waker::wake);
        Ok(Taken::Took)
    }

    fn receive(&mut self, now: Instant, frame: &mut Frame) -> Result<Option<Arrival>, BusError> {
        let mut wire = self.wire.lock().expect("no end panics");
        let input = &mut wire[1 - self.side];
        let Some(next) = input.frames.pop_front() else {
            return Ok(None);
        };
        input.writer.take().into_iter().for_each(Waker::wake);
        println!("end {} hears {next}", self.side);
        frame.copy_from(next.view());
        Ok(Some(Arrival::Received { at: now }))
    }

    fn poll_ready(
        &mut self,
        cx: &mut Context<'_>,
        interest: Interest,
    ) -> Poll<Result<(), BusError>> {
        let mut wire = self.wire.lock().expect("no end panics");
        let room = wire[self.side].frames.len() < ROOM;
        let readable = !wire[1 - self.side].frames.is_empty();
        if readable || (interest.writable && room) {
            return Poll::Ready(Ok(()));
        }
        wire[1 - self.side].reader = Some(cx.waker().clone());
        if interest.writable {
            wire[self.side].writer = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn core::error::Error>> {
    let wire = Arc::new(Mutex::new(<[Direction; 2]>::default()));
    let end = |side| End {
        wire: wire.clone(),
        side,
    };
    let (left, right) = (Network::with_bus(end(0)), Network::with_bus(end(1)));
    let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
    let tester = left.connect(address, Config::uds()).await?;
    let ecu = right.connect(address.reversed(), Config::uds()).await?;

    let (sent, request) = tokio::join!(tester.send([0x22, 0xF1, 0x90]), ecu.recv());
    sent?;
    assert_eq!(request?, [0x22, 0xF1, 0x90]);
    let answer = [&[0x62, 0xF1, 0x90], &b"WVWZZZ1JZXW000001"[..]].concat();
    let (sent, received) = tokio::join!(ecu.send(answer.clone()), tester.recv());
    sent?;
    assert_eq!(received?, answer);
    Ok(())
}
