//! JPEG, sequential and progressive, with 1, 3 or 4 channels.

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::decode::Decode;
use super::failure::Failure;
use super::header::{Header, orientation_of};
use super::jpeg_markers::Markers;
use super::pixels::{Layout, Pixels, byte_count};
use super::reduce::Reducer;

/// The most pixels that a byte can hold: a block of 8 × 8 pixels takes at least a bit.
const PIXELS_PER_BYTE: u64 = 512;
/// The memory of the decoder for rows of blocks, in bytes for each pixel of a row.
const ROW_CHANNELS: u8 = 255;

/// How far the decoder reads ahead of the last pixel, in bytes.
const READ_AHEAD: usize = 8;

/// A JPEG whose header was read.
pub(super) struct Jpeg {
    bytes: Vec<u8>,
    colours: ColorSpace,
    header: Header,
}

impl Jpeg {
    /// Reads the header of a file, and follows its markers to the end.
    pub(super) fn open(mut bytes: Vec<u8>, max_pixels: u64) -> Result<Self, Failure> {
        let markers = Markers::read(&bytes)?;
        let dimensions = markers.dimensions;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        dimensions.ensure_within_limits(max_pixels)?;
        dimensions.check_plausible(size, PIXELS_PER_BYTE)?;
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&bytes), options());
        decoder.decode_headers().map_err(failure_of)?;
        let (colours, layout) = match decoder.input_colorspace() {
            Some(ColorSpace::Luma) => (ColorSpace::Luma, Layout::Grey),
            Some(ColorSpace::YCbCr | ColorSpace::RGB) => (ColorSpace::RGB, Layout::Rgb),
            Some(four @ (ColorSpace::CMYK | ColorSpace::YCCK)) => (four, Layout::Cmyk),
            _ => return Err(Failure::Feature("JPEG with these channels")),
        };
        let coefficients = match markers.has_coefficients {
            true => markers.coefficient_bytes(),
            false => 0,
        };
        let header = Header {
            dimensions,
            layout,
            orientation: orientation_of(decoder.exif().map(Vec::as_slice)),
            profile: decoder.icc_profile(),
            decoding_bytes: size
                + coefficients
                + byte_count(dimensions.width, dimensions.height, layout.channels())
                + byte_count(dimensions.width, 1, ROW_CHANNELS),
            is_whole: true,
            is_animated: false,
        };
        if !markers.has_coefficients {
            // The decoder fills in zeros once it has read the end of the image, and fails if the
            // bytes end before it has all pixels. So it does not get the end, but what it reads ahead.
            bytes.truncate(markers.end);
            bytes.resize(markers.end.saturating_add(READ_AHEAD), 0);
        }
        Ok(Self {
            bytes,
            colours,
            header,
        })
    }
}

impl Decode for Jpeg {
    fn header(&self) -> &Header {
        &self.header
    }

    fn decode(self: Box<Self>, reducer: Reducer) -> Result<Pixels, Failure> {
        let options = options().jpeg_set_out_colorspace(self.colours);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&self.bytes), options);
        decoder.decode_headers().map_err(failure_of)?;
        let size = decoder.output_buffer_size();
        let mut rows = vec![0; size.ok_or(Failure::Feature("an image of this size"))?];
        decoder.decode_into(&mut rows).map_err(failure_of)?;
        if self.colours == ColorSpace::YCCK {
            rows.as_chunks_mut().0.iter_mut().for_each(cmyk_of_ycck);
        }
        drop(decoder);
        drop(self);
        reducer.reduce(rows)
    }
}

/// Without the strict mode, the decoder makes up what is missing.
fn options() -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
}

/// Converts a pixel of luminance, chroma and black, as ITU-T T.871 does; cyan, magenta and yellow
/// are the complements of red, green and blue.
fn cmyk_of_ycck(pixel: &mut [u8; 4]) {
    let [y, cb, cr, _] = pixel.map(i32::from);
    let (cb, cr) = (cb - 128, cr - 128);
    // With 16 bits after the point.
    let red = y + ((91_881 * cr + 32_768) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + 32_768) >> 16);
    let blue = y + ((116_130 * cb + 32_768) >> 16);
    let complements = [red, green, blue].map(|colour| {
        let colour = u8::try_from(colour.clamp(0, 255)).unwrap_or_default();
        !colour
    });
    for (channel, complement) in pixel.iter_mut().zip(complements) {
        *channel = complement;
    }
}

fn failure_of(error: DecodeErrors) -> Failure {
    match error {
        DecodeErrors::Unsupported(_) => Failure::Feature("JPEG of this kind"),
        // The end of the image is there.
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_) => {
            Failure::corrupt("its pixels are incomplete")
        }
        other => Failure::corrupt(format!("{other:?}")),
    }
}
