//! What is known about an image before it is decoded, and the way to its bytes.

use std::io::{self, BufReader, Chain, Cursor, Read};

use image::metadata::Orientation;

use super::Input;
use super::failure::Failure;
use super::format::{Format, SNIFFED_BYTES};
use super::pixels::{Layout, Pixels};
use super::reduce::Reducer;
use super::size::Dimensions;

/// How much of a file is read at a time, in bytes.
const BUFFER_BYTES: usize = 128 * 1024;

/// What is known about an image before it is decoded.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) dimensions: Dimensions,
    pub(super) layout: Layout,
    /// How the image has to be turned to be upright.
    pub(super) orientation: Orientation,
    /// The ICC profile.
    pub(super) profile: Option<Vec<u8>>,
    /// The memory that decoding takes, in bytes: the file, as far as it is kept, and whatever the
    /// decoder needs.
    pub(super) decoding_bytes: u64,
    /// Whether the decoder has the whole image in memory, and passes its rows on in one piece.
    pub(super) is_whole: bool,
    /// Whether further frames are ignored.
    pub(super) is_animated: bool,
}

/// An image whose header was read.
pub(super) trait Decode {
    /// The header.
    fn header(&self) -> &Header;

    /// Decodes the image to its very end.
    fn decode(self: Box<Self>, reducer: Reducer) -> Result<Pixels, Failure>;
}

/// The bytes of a file.
pub(super) struct Source<R> {
    reader: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    /// The size of the file, if it is known.
    size: Option<u64>,
    /// The largest number of bytes that may be kept.
    memory_bytes: u64,
}

impl<R: Read> Source<R> {
    /// Reads the start of a file, and decides by that which format it has.
    pub(super) fn open(input: Input<R>, memory_bytes: u64) -> Result<(Format, Self), Failure> {
        let mut reader = input.reader;
        let mut start = Vec::with_capacity(SNIFFED_BYTES);
        let first = u64::try_from(SNIFFED_BYTES).unwrap_or(u64::MAX);
        let read = reader.by_ref().take(first).read_to_end(&mut start);
        read.map_err(Failure::Read)?;
        let format = Format::of(&start)?;
        let chained = Cursor::new(start).chain(reader);
        let source = Self {
            reader: BufReader::with_capacity(BUFFER_BYTES, chained),
            size: input.size,
            memory_bytes,
        };
        Ok((format, source))
    }

    /// Reads the whole file. Nothing is read of a file that is known to be too large for that.
    pub(super) fn read_all(mut self) -> Result<Vec<u8>, Failure> {
        if let Some(size) = self.size.filter(|size| *size > self.memory_bytes) {
            return Err(self.too_large(size));
        }
        let expected = self.size.and_then(|size| usize::try_from(size).ok());
        let mut bytes = Vec::with_capacity(expected.unwrap_or_default());
        let most = self.memory_bytes.saturating_add(1);
        let read = self.reader.by_ref().take(most).read_to_end(&mut bytes);
        read.map_err(Failure::Read)?;
        bytes.shrink_to_fit();
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match size > self.memory_bytes {
            true => Err(self.too_large(size)),
            false => Ok(bytes),
        }
    }

    /// The reader from the start of the file.
    pub(super) fn into_reader(self) -> impl io::BufRead {
        self.reader
    }

    fn too_large(&self, needed: u64) -> Failure {
        Failure::TooLarge {
            needed,
            allowed: self.memory_bytes,
        }
    }
}

/// The orientation in an EXIF block, which may have its prefix.
pub(super) fn orientation_of(exif: Option<&[u8]>) -> Orientation {
    let exif = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    exif.and_then(Orientation::from_exif_chunk)
        .unwrap_or(Orientation::NoTransforms)
}

/// Whether an orientation exchanges width and height.
pub(super) fn is_transposing(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}
