//! WebP, with and without loss; of an animation, the first frame.

use std::io::Cursor;

use image_webp::{DecodingError, WebPDecoder};

use super::decode::Decode;
use super::failure::Failure;
use super::header::{Header, orientation_of};
use super::pixels::{Layout, Pixels, byte_count};
use super::reduce::Reducer;
use super::size::Dimensions;

/// The bytes of a pixel that the decoder needs besides those of the result: luminance and chroma
/// with loss; red, green, blue and alpha without; both planes and a canvas in an animation.
const LOSSY_CHANNELS: u8 = 2;
const LOSSLESS_CHANNELS: u8 = 4;
const ANIMATED_CHANNELS: u8 = 12;

/// A WebP whose header was read.
pub(super) struct WebP {
    decoder: WebPDecoder<Cursor<Vec<u8>>>,
    header: Header,
}

impl WebP {
    /// Reads the header of a file.
    pub(super) fn open(bytes: Vec<u8>, max_pixels: u64) -> Result<Self, Failure> {
        if is_cut_off(&bytes) {
            return Err(Failure::Truncated);
        }
        let size = bytes.len();
        let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(failure_of)?;
        // What a chunk says about its size may not be true.
        decoder.set_memory_limit(size);
        let (width, height) = decoder.dimensions();
        let dimensions = Dimensions { width, height };
        dimensions.ensure_within_limits(max_pixels)?;
        let has_alpha = decoder.has_alpha();
        let layout = match has_alpha {
            true => Layout::RgbAlpha,
            false => Layout::Rgb,
        };
        let own = match decoder.is_animated() {
            true => ANIMATED_CHANNELS,
            false if decoder.is_lossy() && !has_alpha => LOSSY_CHANNELS,
            // The opacity is compressed without loss.
            false if decoder.is_lossy() => LOSSY_CHANNELS.saturating_add(LOSSLESS_CHANNELS),
            false => LOSSLESS_CHANNELS,
        };
        let channels = layout.channels().saturating_add(own);
        let exif = decoder.exif_metadata().map_err(failure_of)?;
        let header = Header {
            dimensions,
            layout,
            orientation: orientation_of(exif.as_deref()),
            profile: decoder.icc_profile().map_err(failure_of)?,
            decoding_bytes: u64::try_from(size).unwrap_or(u64::MAX)
                + byte_count(width, height, channels),
            is_whole: true,
            is_animated: decoder.is_animated(),
        };
        Ok(Self { decoder, header })
    }
}

impl Decode for WebP {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(mut self: Box<Self>, reducer: Reducer) -> Result<Pixels, Failure> {
        let size = self.decoder.output_buffer_size();
        let mut rows = vec![0; size.ok_or(Failure::Feature("an image of this size"))?];
        self.decoder.read_image(&mut rows).map_err(failure_of)?;
        drop(self);
        reducer.reduce(rows)
    }
}

/// Whether a file is shorter than it says at its start.
fn is_cut_off(bytes: &[u8]) -> bool {
    const BEFORE_SIZE: usize = 4;
    const HEADER: u64 = 8;
    let size = bytes.get(BEFORE_SIZE..).and_then(|rest| rest.first_chunk());
    let size = size.map_or(u64::MAX, |size| u64::from(u32::from_le_bytes(*size)));
    u64::try_from(bytes.len()).unwrap_or(u64::MAX) < size.saturating_add(HEADER)
}

fn failure_of(error: DecodingError) -> Failure {
    Failure::corrupt(error)
}
