//! GIF: the first frame on its canvas. What the frame does not cover is transparent, as browsers
//! show it.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};
use image::metadata::Orientation;

use super::decode::Decode;
use super::failure::Failure;
use super::gif_blocks::Blocks;
use super::header::Header;
use super::pixels::{Layout, Pixels, byte_count};
use super::reduce::Reducer;
use super::size::Dimensions;

/// A GIF whose first frame is next.
pub(super) struct Gif {
    decoder: gif::Decoder<Cursor<Vec<u8>>>,
    header: Header,
}

impl Gif {
    /// Reads everything before the pixels of the first frame.
    pub(super) fn open(bytes: Vec<u8>, max_pixels: u64) -> Result<Self, Failure> {
        let blocks = Blocks::read(&bytes)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::Indexed);
        // The memory is planned before the frame is decoded.
        options.set_memory_limit(MemoryLimit::Unlimited);
        let mut decoder = options.read_info(Cursor::new(bytes)).map_err(failure_of)?;
        let dimensions = Dimensions {
            width: decoder.width().into(),
            height: decoder.height().into(),
        };
        dimensions.ensure_within_limits(max_pixels)?;
        let frame = decoder.next_frame_info().map_err(failure_of)?;
        let frame = frame.ok_or_else(|| Failure::corrupt("it has no frame"))?;
        let (width, height) = (u32::from(frame.width), u32::from(frame.height));
        Dimensions { width, height }.ensure_within_limits(max_pixels)?;
        let header = Header {
            dimensions,
            layout: Layout::RgbAlpha,
            orientation: Orientation::NoTransforms,
            profile: decoder.icc_profile().map(<[u8]>::to_vec),
            decoding_bytes: size + byte_count(width, height, 1),
            is_whole: false,
            is_animated: blocks.frames > 1,
        };
        Ok(Self { decoder, header })
    }
}

impl Decode for Gif {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(mut self: Box<Self>, mut reducer: Reducer) -> Result<Pixels, Failure> {
        let mut indexes = vec![0; self.decoder.buffer_size()];
        self.decoder
            .read_into_buffer(&mut indexes)
            .map_err(failure_of)?;
        let colours = colours(&self.decoder)?;
        let frame = self.decoder.current_frame_info();
        let frame = frame.ok_or_else(|| Failure::corrupt("it has no frame"))?;
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let mut rows = indexes.chunks_exact(usize::from(frame.width).max(1));
        let mut row: Vec<[u8; 4]> = Vec::new();
        let canvas = self.header.dimensions;
        let width = usize::try_from(canvas.width).map_err(Failure::internal)?;
        let height = usize::try_from(canvas.height).map_err(Failure::internal)?;
        for y in 0..height {
            row.clear();
            let indexes = (y >= top).then(|| rows.next()).flatten();
            if let Some(indexes) = indexes {
                row.resize(left.min(width), TRANSPARENT);
                let colours = indexes.iter().map(|index| colour_of(&colours, *index));
                row.extend(colours.take(width.saturating_sub(left)));
            }
            row.resize(width, TRANSPARENT);
            reducer.push(row.as_flattened())?;
        }
        reducer.finish()
    }
}

const TRANSPARENT: [u8; 4] = [0; 4];

/// The palette of the current frame. An index beyond it is transparent.
fn colours(decoder: &gif::Decoder<Cursor<Vec<u8>>>) -> Result<Vec<[u8; 4]>, Failure> {
    let palette = decoder.palette().map_err(failure_of)?;
    let colours = palette.as_chunks::<3>().0.iter();
    let mut colours: Vec<_> = colours
        .map(|[red, green, blue]| [*red, *green, *blue, u8::MAX])
        .collect();
    let frame = decoder.current_frame_info();
    let transparent = frame.and_then(|frame| frame.transparent);
    if let Some(colour) = transparent.and_then(|index| colours.get_mut(usize::from(index))) {
        *colour = TRANSPARENT;
    }
    Ok(colours)
}

fn colour_of(colours: &[[u8; 4]], index: u8) -> [u8; 4] {
    let colour = colours.get(usize::from(index));
    colour.copied().unwrap_or(TRANSPARENT)
}

fn failure_of(error: DecodingError) -> Failure {
    match error {
        DecodingError::UnexpectedEof => Failure::Truncated,
        other => Failure::corrupt(other),
    }
}
