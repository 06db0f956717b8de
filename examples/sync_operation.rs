//! A tester without async: requests, deadlines, forgotten answers, and two threads on one connection.
//!
//! `cargo run --example sync_operation`
use core::time::Duration;
use std::thread;

use isotp_blocking::{
    Address, Config, Connection, Id, NResult, Network, RecvTimeoutError, SendError,
};
use isotp_examples::Outcome;

fn main() -> std::process::ExitCode {
    isotp_examples::exit(run())
}

fn run() -> Outcome {
    let network = Network::open("virtual:sync")?;
    let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
    let mut roomy = Config::uds();
    roomy.queue = 100; // ISO-TP cannot hold single frames back: as many as come at once must fit
    let ecu = network.connect(address.reversed(), roomy)?;
    let ecu = thread::spawn(move || serve(&ecu));
    let tester = network.connect(address, Config::uds())?;

    // `send` returns when the bus has confirmed the last frame, `recv` when the answer is there
    tester.send([0x22, 0xF1, 0x90])?;
    let answer = tester.recv()?;
    println!("VIN: {}", String::from_utf8_lossy(&answer[3..]));
    assert_eq!(answer[..3], [0x62, 0xF1, 0x90]);

    // an ECU that says nothing: the deadline is for the beginning of an answer, however long that is
    tester.send([0x3E, 0x80])?;
    let silence = tester.recv_timeout(Duration::from_millis(50));
    let silence = silence.expect_err("the ECU says nothing");
    println!("suppressed answer: {silence}");
    assert!(matches!(silence, RecvTimeoutError::TimedOut(_)));

    // answers that nobody wants any more: wait for one, and forget what is there besides
    for _ in 0..3 {
        tester.send([0x3E, 0x00])?;
    }
    let mut forgotten = 0;
    while forgotten < 3 {
        tester.recv_timeout(Duration::from_secs(1))?;
        forgotten += 1 + tester.drain();
    }
    println!("forgotten answers: {forgotten}");
    assert!(tester.try_recv()?.is_none());

    share(&tester)?;
    nobody(&network)?;
    network.close();
    assert!(tester.send([0x3E, 0x00]).is_err());
    ecu.join().map_err(|_| "the ECU panicked")??;
    Ok(())
}

/// One thread sends while another receives, on the same connection.
fn share(tester: &Connection) -> Outcome {
    thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let answers = (0..100).map(|_| tester.recv());
            answers
                .filter(|answer| matches!(answer, Ok(vin) if vin.len() == 20))
                .count()
        });
        for _ in 0..100 {
            tester.send([0x22, 0xF1, 0x90])?;
        }
        let answers = receiver.join().map_err(|_| "the receiver panicked")?;
        println!("answers to 100 requests: {answers}");
        assert_eq!(answers, 100);
        Ok(())
    })
}

/// A message that needs flow control, for an ECU that is not there.
fn nobody(network: &Network) -> Outcome {
    let mut config = Config::uds();
    config.protocol.timing.n_bs = Duration::from_millis(100);
    let address = Address::normal(Id::standard(0x7E1)?, Id::standard(0x7E9)?)?;
    let outcome = network.connect(address, config)?.send([0x36; 100]);
    let error = outcome.expect_err("nobody is there");
    println!("nobody there: {error}");
    assert!(matches!(error, SendError::Failed(NResult::TimeoutBs)));
    Ok(())
}

/// The ECU: it ends with the network.
fn serve(ecu: &Connection) -> Result<(), SendError> {
    while let Ok(request) = ecu.recv() {
        match request[..] {
            [0x22, 0xF1, 0x90] => ecu.send(b"\x62\xF1\x90WVWZZZ1JZXW000001")?,
            [0x3E, 0x00] => ecu.send([0x7E, 0x00])?,
            _ => {}
        }
    }
    Ok(())
}
