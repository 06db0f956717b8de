//! The same messages through the kernel's ISO-TP and through our own stack, on one interface.
//!
//! `cargo run --release --example kernel_vs_raw -- vcan0 [MESSAGES] [BYTES]`. Both ends are here, so the
//! interface should be a virtual one: `ip link add vcan0 type vcan && ip link set vcan0 mtu 72 up`.
use core::time::Duration;
use std::process::ExitCode;
use std::time::Instant;

use isotp_examples::Outcome;
use isotp_tokio::{Address, Config, Id, Network};

#[tokio::main]
async fn main() -> ExitCode {
    let words = isotp_examples::words("kernel_vs_raw INTERFACE [MESSAGES] [BYTES]");
    isotp_examples::exit(run(&words).await)
}

async fn run(words: &[String]) -> Outcome {
    let interface = words.first().ok_or(
        "expected an interface, such as vcan0, and perhaps a number of messages and of bytes",
    )?;
    let number = |at: usize, default: u32| match words.get(at) {
        None => Ok(default),
        Some(word) => word.parse().map_err(|_| {
            format!("{word:?} is no number of messages or bytes, expected such as: vcan0 64 8200")
        }),
    };
    let (messages, bytes) = (number(1, 64)?, number(2, 8200)?);
    println!("{messages} messages of {bytes} bytes on {interface}");
    let mut took = Vec::new();
    for scheme in ["kernel", "raw"] {
        let connection = format!("{scheme}:{interface}");
        let time = transfer(&connection, messages, bytes).await?;
        let rate = f64::from(messages) * f64::from(bytes) / time.as_secs_f64() / 1e6;
        println!("{connection:<14} {time:>12.3?}  {rate:.2} MB/s");
        took.push(time.as_secs_f64());
    }
    if let [kernel, raw] = took[..] {
        println!(
            "our own stack takes {:.2} times as long as the kernel",
            raw / kernel
        );
    }
    Ok(())
}

/// Sends the messages one after another, and gives the time that it took to receive them.
async fn transfer(connection: &str, messages: u32, bytes: u32) -> Outcome<Duration> {
    let network = Network::open(connection).await?;
    let tester = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
    let mut config = Config::linux_kernel();
    config.max_message = bytes.max(config.max_message);
    config.queue = messages.max(1) as usize;
    let receiver = network.connect(tester.reversed(), config.clone()).await?;
    let sender = network.connect(tester, config).await?;

    let start = Instant::now();
    let receive = tokio::spawn(async move {
        for _ in 0..messages {
            if !matches!(receiver.recv().await, Ok(message) if message.size() == bytes) {
                return Err("a message did not come as it was sent");
            }
        }
        Ok(())
    });
    for _ in 0..messages {
        sender.send(vec![0x55; bytes as usize]).await?;
    }
    receive.await??;
    let took = start.elapsed();
    network.close().await;
    Ok(took)
}
