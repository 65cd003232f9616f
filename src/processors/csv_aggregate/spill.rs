//! Sorted runs in temporary files.
//!
//! A run is a file without a name: the system frees it when the process ends, however it ends. The
//! space of all runs that exist at one time is bounded. Buffers of 64 KiB are used on both sides.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::rc::Rc;

use super::failure::Failure;

const BUFFER: usize = 64 << 10;

/// The folder of the runs, and the account of their bytes.
pub(super) struct Space {
    folder: PathBuf,
    limit: u64,
    used: Cell<u64>,
    runs: Cell<u64>,
    written: Cell<u64>,
}

impl Space {
    pub(super) fn new(folder: PathBuf, limit: u64) -> Rc<Self> {
        let (used, runs, written) = Default::default();
        Rc::new(Self {
            folder,
            limit,
            used,
            runs,
            written,
        })
    }

    /// How many runs were written, and their bytes in total.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.runs.get(), self.written.get())
    }

    fn use_bytes(&self, bytes: u64) -> Result<(), Failure> {
        let used = self.used.get() + bytes;
        if used > self.limit {
            return Err(Failure::SpillFull { limit: self.limit });
        }
        self.used.set(used);
        self.written.set(self.written.get() + bytes);
        Ok(())
    }
}

/// A run. Its space is free when it is dropped.
pub(super) struct RunFile {
    file: File,
    bytes: u64,
    space: Rc<Space>,
}

impl Drop for RunFile {
    fn drop(&mut self) {
        self.space
            .used
            .set(self.space.used.get().saturating_sub(self.bytes));
    }
}

/// A run that is being written.
pub(super) struct RunWriter {
    run: RunFile,
    /// What is not in the file yet. Records are appended to it.
    pub(super) buffer: Vec<u8>,
}

impl RunWriter {
    pub(super) fn create(space: &Rc<Space>) -> Result<Self, Failure> {
        let file = tempfile::tempfile_in(&space.folder).map_err(Failure::Spill)?;
        space.runs.set(space.runs.get() + 1);
        let run = RunFile {
            file,
            bytes: 0,
            space: Rc::clone(space),
        };
        Ok(Self {
            run,
            buffer: Vec::with_capacity(BUFFER),
        })
    }

    /// Writes the buffer, if it is full.
    pub(super) fn relieve(&mut self) -> Result<(), Failure> {
        if self.buffer.len() < BUFFER - 1024 {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let bytes = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        self.run.space.use_bytes(bytes)?;
        self.run.bytes += bytes;
        self.run
            .file
            .write_all(&self.buffer)
            .map_err(Failure::Spill)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) -> Result<RunFile, Failure> {
        self.flush()?;
        Ok(self.run)
    }
}

/// A run that is read from its start to its end, and freed then.
pub(super) struct RunReader {
    input: BufReader<File>,
    left: u64,
    _run: RunFile,
}

impl RunReader {
    pub(super) fn open(run: RunFile) -> Result<Self, Failure> {
        let mut file = run.file.try_clone().map_err(Failure::Spill)?;
        file.rewind().map_err(Failure::Spill)?;
        let input = BufReader::with_capacity(BUFFER, file);
        Ok(Self {
            input,
            left: run.bytes,
            _run: run,
        })
    }

    /// Whether all bytes are read.
    pub(super) fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// Fills `bytes`.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Result<(), Failure> {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(count);
        self.input.read_exact(bytes).map_err(Failure::Spill)
    }

    /// Reads an integer that [`push_varint`] wrote.
    pub(super) fn read_varint(&mut self) -> Result<u128, Failure> {
        let mut value = 0;
        let mut shift = 0;
        loop {
            let mut byte = [0];
            self.read(&mut byte)?;
            let [byte] = byte;
            value |= u128::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }
}

/// Appends an integer with 7 bits a byte, the low ones first.
pub(super) fn push_varint(mut value: u128, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap_or(0));
}
