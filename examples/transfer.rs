//! Sends a file as one message between two connections over a virtual bus that counts its bits.
//!
//! `cargo run --release --example transfer -- PATH [--fd] [--bitrate N] [--data-bitrate N] [--realtime]`
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use isotp_tokio::virtual_bus::{BitTiming, Clock, Options, Stats, VirtualBus};
use isotp_tokio::{Address, Config, Id, Network, Payload, RxBuffer};
use sha2::{Digest, Sha256};

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

/// What the command line says.
struct Arguments {
    path: PathBuf,
    fd: bool,
    bitrate: u32,
    data_bitrate: u32,
    realtime: bool,
}

const USAGE: &str = "usage: transfer PATH [--fd] [--bitrate N] [--data-bitrate N] [--realtime]";

impl Arguments {
    fn parse() -> Result<Self, AnyError> {
        use lexopt::prelude::{Long, Value, ValueExt};
        let mut parser = lexopt::Parser::from_env();
        let (mut path, mut fd, mut realtime) = (None, false, false);
        let (mut bitrate, mut data_bitrate) = (500_000, None);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("fd") => fd = true,
                Long("realtime") => realtime = true,
                Long("bitrate") => bitrate = parser.value()?.parse()?,
                Long("data-bitrate") => data_bitrate = Some(parser.value()?.parse()?),
                Value(value) if path.is_none() => path = Some(PathBuf::from(value)),
                other => return Err(format!("{}; {USAGE}", other.unexpected()).into()),
            }
        }
        let data_bitrate = data_bitrate.unwrap_or_else(|| bitrate.max(2_000_000));
        if data_bitrate < bitrate {
            return Err(format!(
                "--data-bitrate is {data_bitrate}, expected at least the {bitrate} of --bitrate"
            )
            .into());
        }
        Ok(Self {
            path: path.ok_or(USAGE)?,
            fd,
            bitrate,
            data_bitrate,
            realtime,
        })
    }
}

/// Whether the sums agree.
fn run() -> Result<bool, AnyError> {
    let arguments = Arguments::parse()?;
    let source = Source::open(&arguments)?;
    let timing = BitTiming::new(arguments.bitrate, arguments.data_bitrate)?;
    let clock = if arguments.realtime {
        Clock::Timed(timing)
    } else {
        Clock::Counted(timing)
    };
    let bus = VirtualBus::new(Options {
        clock,
        ..Options::default()
    });
    let size = source.size;
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
    let (summed, problem) = (source.sum.clone(), source.problem.clone());
    let sink = Sink {
        sum: Arc::default(),
        bar: progress(source.size),
        unshown: 0,
    };
    let (arrived, bar) = (sink.sum.clone(), sink.bar.clone());
    let sender = network.connect(address, config.clone()).await?;
    let receiver = network.connect_into(address.reversed(), config, sink);
    let receiver = receiver.await?;
    if let Err(error) = sender.send_from(source).await {
        bar.abandon();
        return Err(
            match problem.lock().ok().and_then(|mut problem| problem.take()) {
                Some(problem) => problem.into(),
                None => error.into(),
            },
        );
    }
    receiver.recv().await?;
    bar.finish();
    network.close().await;
    Ok((hex(&summed), hex(&arrived)))
}

type Sum = Arc<Mutex<Sha256>>;

/// Reads the file as its bytes are needed.
struct Source {
    file: File,
    size: u32,
    /// Where `chunk` begins in the file.
    start: u64,
    chunk: Vec<u8>,
    sum: Sum,
    problem: Arc<Mutex<Option<io::Error>>>,
}

impl Source {
    fn open(arguments: &Arguments) -> Result<Self, AnyError> {
        let name = arguments.path.display();
        let file = File::open(&arguments.path).map_err(|error| format!("{name}: {error}"))?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(format!("{name}: not a file").into());
        }
        let size = match u32::try_from(metadata.len()) {
            Ok(0) => return Err(format!("{name}: empty, and ISO-TP has no empty message").into()),
            Ok(size) => size,
            Err(_) => return Err(format!("{name}: longer than 4 GiB - 1").into()),
        };
        Ok(Self {
            file,
            size,
            start: 0,
            chunk: Vec::new(),
            sum: Arc::default(),
            problem: Arc::default(),
        })
    }

    /// Reads the chunk that begins at `offset`, and sums what is new.
    fn read(&mut self, offset: u64) -> io::Result<()> {
        let summed = self.start + self.chunk.len() as u64;
        let len = CHUNK.min(u64::from(self.size) - offset);
        self.file.seek(SeekFrom::Start(offset))?;
        self.chunk.resize(len as usize, 0);
        self.start = offset;
        self.file.read_exact(&mut self.chunk)?;
        let new = self.chunk.get((summed - offset) as usize..);
        update(&self.sum, new.unwrap_or_default());
        Ok(())
    }
}

impl Payload for Source {
    fn size(&self) -> u32 {
        self.size
    }

    fn copy_to(&mut self, offset: u32, out: &mut [u8]) -> Option<usize> {
        let offset = u64::from(offset);
        let end = offset + out.len() as u64;
        if (offset < self.start || end > self.start + self.chunk.len() as u64)
            && let Err(error) = self.read(offset)
        {
            *self.problem.lock().ok()? = Some(error);
            return None;
        }
        let bytes = self.chunk.get((offset - self.start) as usize..)?;
        out.copy_from_slice(bytes.get(..out.len())?);
        Some(out.len())
    }
}

/// Sums what arrives, and forgets it.
struct Sink {
    sum: Sum,
    bar: ProgressBar,
    unshown: u64,
}

impl RxBuffer for Sink {
    fn limit(&self) -> u32 {
        u32::MAX
    }

    fn start(&mut self, _size: u32) {}

    fn write(&mut self, _offset: u32, data: &[u8]) -> bool {
        update(&self.sum, data);
        self.unshown += data.len() as u64;
        if self.unshown >= CHUNK {
            self.bar.inc(core::mem::take(&mut self.unshown));
        }
        true
    }
}

fn update(sum: &Sum, bytes: &[u8]) {
    if let Ok(mut sum) = sum.lock() {
        sum.update(bytes);
    }
}

fn hex(sum: &Sum) -> String {
    let digest = sum.lock().map(|sum| sum.clone().finalize());
    let digest = digest.unwrap_or_default();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn progress(size: u32) -> ProgressBar {
    let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(u64::from(size)).with_style(style)
}

fn report(size: u32, seconds: f64, stats: &Stats) {
    let megabytes = f64::from(size) / 1e6;
    let rate = megabytes / seconds;
    println!("{size} bytes in {seconds:.3} s here, {rate:.1} MB/s");
    let busy = stats.busy.as_secs_f64();
    let (frames, bits, rate) = (stats.frames, stats.bits, megabytes / busy * 1e3);
    println!("{frames} frames, {bits} bits, {busy:.3} s on the bus, {rate:.1} kB/s");
}

/// Bytes that are read at once.
const CHUNK: u64 = 1 << 16;
