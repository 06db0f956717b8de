//! Sends a file as one message between two connections over a virtual bus that counts its bits.
//!
//! `cargo run --release --example transfer -- PATH [--fd] [--bitrate N] [--data-bitrate N] [--realtime]`
mod arguments;
mod problem;
mod sink;
mod source;
mod sum;

use std::process::ExitCode;
use std::time::Instant;

use isotp_tokio::virtual_bus::{Options, Stats, VirtualBus};
use isotp_tokio::{Address, Config, Id, Network, Payload};

use arguments::Arguments;
use sink::Sink;
use source::Source;

type AnyError = Box<dyn core::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("transfer: the sums differ");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("transfer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the sums agree.
fn run() -> Result<bool, AnyError> {
    let arguments = Arguments::parse()?;
    let source = Source::open(&arguments.path)?;
    let bus = VirtualBus::new(Options {
        clock: arguments.clock()?,
        ..Options::default()
    });
    let size = source.size();
    let runtime = tokio::runtime::Runtime::new()?;
    let start = Instant::now();
    let (sent, received) = runtime.block_on(transfer(&bus, &arguments, source))?;
    println!("sha256 sent      {sent}");
    println!("sha256 received  {received}");
    report(size, start.elapsed().as_secs_f64(), &bus.stats());
    Ok(sent == received)
}

async fn transfer(
    bus: &VirtualBus,
    arguments: &Arguments,
    source: Source,
) -> Result<(String, String), AnyError> {
    let mut config = match arguments.fd {
        true => Config::fd(64, true),
        false => Config::default(),
    };
    if arguments.realtime {
        // the runtime's timer is coarser than a frame is long: keep the controller's queue filled
        config.protocol.transmit.in_flight = 32;
    }
    let network = Network::with_bus(bus.port());
    let address = Address::normal(Id::standard(0x7E0)?, Id::standard(0x7E8)?)?;
    let (summed, problem) = (source.sum().clone(), source.problem().clone());
    let sink = Sink::new(source.size());
    let (arrived, bar) = (sink.sum().clone(), sink.bar().clone());
    let sender = network.connect(address, config.clone()).await?;
    let receiver = network.connect_into(address.reversed(), config, sink);
    let receiver = receiver.await?;
    if let Err(error) = sender.send_from(source).await {
        bar.abandon();
        return Err(match problem.take() {
            Some(problem) => problem.into(),
            None => error.into(),
        });
    }
    receiver.recv().await?;
    bar.finish();
    network.close().await;
    Ok((summed.hex(), arrived.hex()))
}

fn report(size: u32, seconds: f64, stats: &Stats) {
    let megabytes = f64::from(size) / 1e6;
    let rate = megabytes / seconds;
    println!("{size} bytes in {seconds:.3} s here, {rate:.1} MB/s");
    let busy = stats.busy.as_secs_f64();
    let (frames, bits, rate) = (stats.frames, stats.bits, megabytes / busy * 1e3);
    println!("{frames} frames, {bits} bits, {busy:.3} s on the bus, {rate:.1} kB/s");
}
