//! Images for unit tests.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, Frame, ImageEncoder as _, ImageFormat, Rgb, RgbImage};

use super::header::Header;
use super::pixels::Layout;
use super::size::Dimensions;

/// The formats that can be read.
pub(super) const FORMATS: [ImageFormat; 4] = [
    ImageFormat::Jpeg,
    ImageFormat::Png,
    ImageFormat::WebP,
    ImageFormat::Gif,
];

/// A header without anything particular.
pub(super) fn header(width: u32, height: u32, layout: Layout) -> Header {
    Header {
        dimensions: Dimensions { width, height },
        layout,
        orientation: Orientation::NoTransforms,
        profile: None,
        decoding_bytes: 0,
        is_whole: false,
        is_animated: false,
    }
}

/// A picture with gradients, of which no two sides are the same.
pub(super) fn picture(width: u32, height: u32) -> DynamicImage {
    let part = |at: u32, of: u32| u8::try_from(at * 255 / of).expect("a byte");
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        let (across, down) = (part(x, width), part(y, height));
        Rgb([across, down, (across / 2).wrapping_add(down / 4)])
    }))
}

/// The bytes of a picture in a format.
pub(super) fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("an image");
    bytes.into_inner()
}

/// A GIF of these frames.
pub(super) fn animation(frames: &[&DynamicImage]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let frames = frames.iter().map(|frame| Frame::new(frame.to_rgba8()));
    GifEncoder::new(&mut bytes)
        .encode_frames(frames)
        .expect("an image");
    bytes
}

/// A PNG whose EXIF has an orientation.
pub(super) fn with_orientation(stored: &DynamicImage, orientation: Orientation) -> Vec<u8> {
    let exif = [
        // Little endian, and one directory at 8 with one entry: the orientation, a 16-bit number.
        &b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..],
        &[orientation.to_exif(), 0, 0, 0],
        &[0; 4],
    ];
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif.concat()).expect("EXIF");
    stored.write_with_encoder(encoder).expect("an image");
    bytes
}

/// A PNG with a colour profile.
pub(super) fn with_profile(picture: &DynamicImage, profile: Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile).expect("a profile");
    picture.write_with_encoder(encoder).expect("an image");
    bytes
}
