//! Writes a result in its format, without any metadata.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, GenericImageView as _, Rgb, RgbImage};

use super::checked::Checked;
use super::failure::Failure;
use super::output::Output;

/// A result.
#[derive(Debug)]
pub struct Encoded<'a> {
    /// The name of its size.
    pub name: &'a str,
    /// Its format.
    pub output: Output,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The format that suits a picture: the one that keeps its opacity, if it has any.
pub(super) fn suitable_output(picture: &DynamicImage) -> Output {
    match picture.color().has_alpha() {
        true => Output::Png,
        false => Output::Jpeg,
    }
}

/// Writes `picture` in the format `output`.
pub(super) fn encode<'a>(
    picture: DynamicImage,
    name: &'a str,
    output: Output,
    checked: &Checked,
) -> Result<Encoded<'a>, Failure> {
    let has_alpha = picture.color().has_alpha();
    let (width, height) = picture.dimensions();
    let mut writer = Cursor::new(Vec::new());
    let encoded = match output {
        Output::Jpeg => {
            let opaque = match has_alpha {
                true => on_white(&picture),
                false => picture,
            };
            JpegEncoder::new_with_quality(&mut writer, checked.quality).encode_image(&opaque)
        }
        Output::Png => {
            let (compression, filter) = (CompressionType::Default, FilterType::Adaptive);
            let encoder = PngEncoder::new_with_quality(&mut writer, compression, filter);
            picture.write_with_encoder(encoder)
        }
        Output::WebP => picture.write_with_encoder(WebPEncoder::new_lossless(&mut writer)),
    };
    encoded.map_err(Failure::internal)?;
    Ok(Encoded {
        name,
        output,
        width,
        height,
        bytes: writer.into_inner(),
    })
}

/// The picture on a white ground, for a format without opacity.
fn on_white(picture: &DynamicImage) -> DynamicImage {
    let (width, height) = picture.dimensions();
    let source = picture.to_rgba8();
    let on_white = RgbImage::from_fn(width, height, |x, y| {
        let [red, green, blue, alpha] = source.get_pixel(x, y).0;
        Rgb([red, green, blue].map(|colour| over_white(colour, alpha)))
    });
    DynamicImage::ImageRgb8(on_white)
}

fn over_white(colour: u8, alpha: u8) -> u8 {
    let (colour, alpha) = (u32::from(colour), u32::from(alpha));
    let mixed = (colour * alpha + 255 * (255 - alpha) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}
