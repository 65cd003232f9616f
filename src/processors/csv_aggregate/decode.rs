//! From the bytes of an input to UTF-8 text.
//!
//! Every layer is a reader: counting what comes in, decompressing, counting what comes out against
//! the bound of the job, and converting to UTF-8. An error keeps the layer that it comes from, so
//! that a network error is not taken for a damaged file.

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

use super::detect::{self, SAMPLE, Text};
use super::failure::Failure;
use super::options::{Compression, Encoding};
use super::transcode::Transcode;

const BUFFER: usize = 64 << 10;

/// What the layers of all inputs of a job share.
pub(super) struct Status {
    /// Bytes of all inputs, before and after decompression.
    pub(super) raw: Cell<u64>,
    pub(super) decoded: Cell<u64>,
    /// The most bytes after decompression.
    pub(super) limit: u64,
    /// The binary logarithm of the largest window of Zstandard.
    pub(super) window_log: u32,
    raw_failed: Cell<bool>,
    over_limit: Cell<bool>,
}

impl Status {
    pub(super) fn new(limit: u64, window_log: u32) -> Rc<Self> {
        Rc::new(Self {
            raw: Cell::default(),
            decoded: Cell::default(),
            limit,
            window_log,
            raw_failed: Cell::default(),
            over_limit: Cell::default(),
        })
    }

    /// The failure of an error that the layers of this input returned.
    pub(super) fn failure(
        &self,
        input: u64,
        compression: Compression,
        error: io::Error,
    ) -> Failure {
        if self.over_limit.get() {
            return Failure::TooManyDecodedBytes { limit: self.limit };
        }
        let compression = match compression {
            Compression::Gzip | Compression::Zstd if !self.raw_failed.get() => name(compression),
            _ => {
                return Failure::Read {
                    input,
                    source: error,
                };
            }
        };
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Failure::Truncated { input, compression };
        }
        Failure::Corrupt {
            input,
            compression,
            detail: error.to_string(),
        }
    }
}

/// An input as UTF-8 text.
pub(super) struct Decoded {
    pub(super) text: Box<dyn Read>,
    pub(super) compression: Compression,
    pub(super) encoding: Text,
    /// The start of the text, which is also still to be read.
    pub(super) sample: Vec<u8>,
}

pub(super) fn name(compression: Compression) -> &'static str {
    match compression {
        Compression::Auto | Compression::None => "none",
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    }
}

/// Puts the layers on an input. `number` is the one of the input.
pub(super) fn decode(
    number: u64,
    input: Box<dyn Read>,
    (compression, encoding): (Compression, Encoding),
    status: &Rc<Status>,
) -> Result<Decoded, Failure> {
    let mut raw = Raw {
        input,
        status: Rc::clone(status),
    };
    let fail = |compression| move |error| status.failure(number, compression, error);
    let start = read_start(&mut raw, 4).map_err(fail(Compression::None))?;
    let compression = detect::compression(compression, &start);
    let raw = Cursor::new(start).chain(raw);
    let plain: Box<dyn Read> = match compression {
        Compression::Auto | Compression::None => Box::new(raw),
        Compression::Gzip => {
            let input = BufReader::with_capacity(BUFFER, raw);
            Box::new(flate2::bufread::MultiGzDecoder::new(input))
        }
        Compression::Zstd => {
            let decoder = zstd::Decoder::new(raw);
            let mut decoder = decoder.map_err(fail(compression))?;
            let window_log = decoder.window_log_max(status.window_log);
            window_log.map_err(fail(compression))?;
            Box::new(decoder)
        }
    };
    let mut plain = Bounded {
        input: plain,
        status: Rc::clone(status),
    };
    let start = read_start(&mut plain, SAMPLE).map_err(fail(compression))?;
    let encoding = detect::encoding(encoding, &start);
    let mark = if encoding == Text::Utf8 && start.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    let mut rest = Cursor::new(start);
    rest.set_position(mark);
    let plain = rest.chain(plain);
    let mut text: Box<dyn Read> = match encoding {
        Text::Utf8 => Box::new(plain),
        encoding => Box::new(Transcode::new(plain, encoding)),
    };
    let sample = read_start(&mut text, SAMPLE).map_err(fail(compression))?;
    let text = Box::new(Cursor::new(sample.clone()).chain(text));
    Ok(Decoded {
        text,
        compression,
        encoding,
        sample,
    })
}

/// Reads up to `limit` bytes.
fn read_start(input: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    input.take(count(limit)).read_to_end(&mut start)?;
    Ok(start)
}

/// The input as it comes.
struct Raw {
    input: Box<dyn Read>,
    status: Rc<Status>,
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer).inspect_err(|error| {
            let failed = error.kind() != io::ErrorKind::Interrupted;
            self.status.raw_failed.set(failed);
        })?;
        self.status.raw.set(self.status.raw.get() + count(read));
        Ok(read)
    }
}

/// The input after decompression.
struct Bounded {
    input: Box<dyn Read>,
    status: Rc<Status>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let decoded = self.status.decoded.get() + count(read);
        self.status.decoded.set(decoded);
        if decoded > self.status.limit {
            self.status.over_limit.set(true);
            return Err(io::Error::other("more bytes than allowed"));
        }
        Ok(read)
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
