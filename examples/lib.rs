//! What the examples share.
#![forbid(unsafe_code)]

pub mod uds;

use core::fmt;
use std::process::{self, ExitCode};

use isotp_driver::{FrameKind, FrameView, Instant};

/// A frame as `candump -t z` prints it.
#[derive(Debug)]
pub struct Candump<'a>(
    /// When it crossed the bus.
    pub Instant,
    /// The frame.
    pub FrameView<'a>,
);

impl fmt::Display for Candump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (micros, frame) = (self.0.as_micros(), self.1);
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let id = frame.id.to_string();
        write!(f, " ({seconds:03}.{micros:06})  virtual  {id:>8}  ")?;
        match frame.kind {
            FrameKind::Classic => write!(f, " [{}] ", frame.data.len())?,
            FrameKind::Fd { .. } => write!(f, "[{:02}] ", frame.data.len())?,
        }
        frame
            .data
            .iter()
            .try_for_each(|byte| write!(f, " {byte:02X}"))
    }
}

/// What the functions of an example give.
pub type Outcome<T = ()> = Result<T, Box<dyn core::error::Error>>;

/// The words of the command line. Asked for help, the program prints how it is used, and ends.
#[must_use]
pub fn words(usage: &str) -> Vec<String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("usage: {usage}");
        process::exit(0);
    }
    words
}

/// Bytes from the command line, each a word.
///
/// ```
/// use isotp_examples::bytes;
/// assert_eq!(bytes(["3E", "00"]).unwrap(), [0x3E, 0x00]);
/// let error = bytes(["3E00"]).unwrap_err();
/// assert!(error.to_string().starts_with("\"3E00\" is no byte, expected"));
/// ```
///
/// # Errors
/// A word is no byte; the text names it, and how bytes are written.
pub fn bytes(words: impl IntoIterator<Item = impl AsRef<str>>) -> Outcome<Vec<u8>> {
    let byte = |word: &str| {
        u8::from_str_radix(word, 16).map_err(|_| {
            format!("{word:?} is no byte, expected two hexadecimal digits for each, such as 3E 00")
        })
    };
    let bytes = words.into_iter().map(|word| byte(word.as_ref()));
    Ok(bytes.collect::<Result<_, _>>()?)
}

/// Ends the program: an error is printed as its text says it, and not with its fields.
pub fn exit(outcome: Result<(), impl fmt::Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
