//! PNG, row by row.

use std::io::{self, BufRead, Read};

use png::{ColorType, DecodingError, Limits, Transformations};

use super::decode::Decode;
use super::failure::Failure;
use super::forward::Forward;
use super::header::{Header, orientation_of};
use super::pixels::{Layout, Pixels, byte_count};
use super::reduce::Reducer;
use super::size::Dimensions;
use super::source::Source;

/// The memory for metadata, in bytes. A small chunk can expand to far more.
const METADATA_BYTES: usize = 8 * 1024 * 1024;
/// The memory of the decoder besides rows and metadata, in bytes.
const DECODER_BYTES: u64 = 512 * 1024;
/// The rows that the decoder has in memory, with up to eight bytes a pixel.
const DECODER_ROWS: u64 = 4;

/// A PNG whose header was read.
pub(super) struct Png<R: BufRead> {
    reader: png::Reader<Forward<R>>,
    header: Header,
}

impl Png<std::io::Empty> {
    /// Reads the header.
    pub(super) fn open<S: Read>(
        source: Source<S>,
        max_pixels: u64,
    ) -> Result<Png<impl BufRead>, Failure> {
        let limits = Limits {
            bytes: METADATA_BYTES,
        };
        let mut decoder = png::Decoder::new_with_limits(Forward(source.into_reader()), limits);
        decoder.set_ignore_text_chunk(true);
        decoder.set_transformations(Transformations::normalize_to_color8());
        let info = decoder.read_header_info().map_err(failure_of)?;
        let dimensions = Dimensions {
            width: info.width,
            height: info.height,
        };
        dimensions.ensure_within_limits(max_pixels)?;
        let reader = decoder.read_info().map_err(failure_of)?;
        let layout = match reader.output_color_type().0 {
            ColorType::Grayscale => Layout::Grey,
            ColorType::GrayscaleAlpha => Layout::GreyAlpha,
            ColorType::Rgb => Layout::Rgb,
            ColorType::Rgba => Layout::RgbAlpha,
            ColorType::Indexed => return Err(Failure::Feature("a palette")),
        };
        let info = reader.info();
        let is_whole = info.interlaced;
        let rows = match is_whole {
            true => byte_count(info.width, info.height, layout.channels()),
            false => 0,
        };
        let header = Header {
            dimensions,
            layout,
            orientation: orientation_of(info.exif_metadata.as_deref()),
            // An sRGB chunk has priority.
            profile: (info.srgb.is_none())
                .then(|| info.icc_profile.as_deref().map(<[u8]>::to_vec))
                .flatten(),
            decoding_bytes: DECODER_BYTES + rows + DECODER_ROWS * byte_count(info.width, 1, 8),
            is_whole,
            is_animated: info.is_animated(),
        };
        Ok(Png { reader, header })
    }
}

impl<R: BufRead> Decode for Png<R> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(mut self: Box<Self>, mut reducer: Reducer) -> Result<Pixels, Failure> {
        let size_of = |size: Option<usize>| size.ok_or(Failure::Feature("an image of this size"));
        if self.header.is_whole {
            let mut rows = vec![0; size_of(self.reader.output_buffer_size())?];
            self.reader.next_frame(&mut rows).map_err(failure_of)?;
            self.reader.finish().map_err(failure_of)?;
            return reducer.reduce(rows);
        }
        let mut row = vec![0; size_of(self.reader.output_line_size(self.header.dimensions.width))?];
        for _ in 0..self.header.dimensions.height {
            self.reader.read_row(&mut row).map_err(failure_of)?;
            reducer.push(&row)?;
        }
        // To the end of the file: the checksum of the pixels, and the last chunk.
        self.reader.finish().map_err(failure_of)?;
        reducer.finish()
    }
}

fn failure_of(error: DecodingError) -> Failure {
    match error {
        DecodingError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Failure::Truncated
        }
        DecodingError::IoError(error) => Failure::Read(error),
        DecodingError::LimitsExceeded => Failure::corrupt("its metadata or a row is too large"),
        other => Failure::corrupt(other),
    }
}
