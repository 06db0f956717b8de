//! The message: a file that is read as its bytes are needed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use isotp_tokio::Payload;

use crate::AnyError;
use crate::problem::Problem;
use crate::sum::Sum;

/// A file of at most 4 GiB - 1.
pub(crate) struct Source {
    file: File,
    size: u32,
    /// Where `chunk` begins in the file.
    start: u64,
    chunk: Vec<u8>,
    sum: Sum,
    problem: Problem,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, AnyError> {
        let name = path.display();
        let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
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
            sum: Sum::default(),
            problem: Problem::default(),
        })
    }

    /// The sum of what was read.
    pub(crate) const fn sum(&self) -> &Sum {
        &self.sum
    }

    /// Where the reason is, if the file cannot be read any further.
    pub(crate) const fn problem(&self) -> &Problem {
        &self.problem
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
        self.sum.update(new.unwrap_or_default());
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
            self.problem.note(error);
            return None;
        }
        let bytes = self.chunk.get((offset - self.start) as usize..)?;
        out.copy_from_slice(bytes.get(..out.len())?);
        Some(out.len())
    }
}

/// Bytes that are read at once.
const CHUNK: u64 = 1 << 16;
