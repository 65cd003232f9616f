//! Turns the pixels of an image into what a browser shows: sRGB, upright, and with the opacity
//! apart from the colours.
//!
//! A profile is applied after resizing, to far fewer pixels. The results need none: sRGB is what
//! everything takes an image for that has no profile.

use std::sync::Arc;

use fast_image_resize::MulDiv;
use fast_image_resize::images::Image;
use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use moxcms::{ColorProfile, DataColorSpace, TransformExecutor, TransformOptions};

use super::failure::Failure;
use super::header::Header;
use super::pixels::{Layout, Pixels};
use super::report::ProfileUse;

/// The largest profile that is read, in bytes. Those of printers have up to 3 MiB.
const MAX_PROFILE_BYTES: usize = 4 * 1024 * 1024;

type Transform = Arc<dyn TransformExecutor<u8> + Send + Sync>;

/// The conversion of the pixels of an image.
pub(super) struct Colour {
    transform: Option<Transform>,
    profile_use: ProfileUse,
}

impl Colour {
    /// The conversion for an image with this header.
    pub(super) fn new(header: &Header) -> Self {
        let transform = header
            .profile
            .as_deref()
            .map(|profile| transform(profile, header.layout));
        let profile_use = match &transform {
            None => ProfileUse::None,
            Some(None) => ProfileUse::Ignored,
            Some(Some(_)) => ProfileUse::Applied,
        };
        Self {
            transform: transform.flatten(),
            profile_use,
        }
    }

    /// What was done with the profile of the image.
    pub(super) fn profile_use(&self) -> ProfileUse {
        self.profile_use
    }

    /// Converts a resized image. The opacity is left out if every pixel is opaque.
    pub(super) fn convert(
        &self,
        mut pixels: Pixels,
        orientation: Orientation,
    ) -> Result<DynamicImage, Failure> {
        if pixels.layout.has_alpha() {
            divide_by_alpha(&mut pixels)?;
        }
        pixels = match &self.transform {
            Some(transform) => transformed(transform, pixels)?,
            None if pixels.layout == Layout::Cmyk => rgb_of_cmyk(pixels),
            None => pixels,
        };
        pixels = without_needless_alpha(pixels);
        let mut picture = picture_of(pixels).ok_or_else(|| Failure::internal("a wrong size"))?;
        picture.apply_orientation(orientation);
        Ok(picture)
    }
}

/// The transform from a profile to sRGB; `None` if the profile is broken or not for such an image.
fn transform(profile: &[u8], layout: Layout) -> Option<Transform> {
    if profile.len() > MAX_PROFILE_BYTES {
        return None;
    }
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    let (space, from, to) = match layout {
        Layout::Grey => (
            DataColorSpace::Gray,
            moxcms::Layout::Gray,
            moxcms::Layout::Rgb,
        ),
        Layout::GreyAlpha => (
            DataColorSpace::Gray,
            moxcms::Layout::GrayAlpha,
            moxcms::Layout::Rgba,
        ),
        Layout::Rgb => (
            DataColorSpace::Rgb,
            moxcms::Layout::Rgb,
            moxcms::Layout::Rgb,
        ),
        Layout::RgbAlpha => (
            DataColorSpace::Rgb,
            moxcms::Layout::Rgba,
            moxcms::Layout::Rgba,
        ),
        // Any four channels.
        Layout::Cmyk => (
            DataColorSpace::Cmyk,
            moxcms::Layout::Rgba,
            moxcms::Layout::Rgb,
        ),
    };
    if profile.color_space != space {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    profile.create_transform_8bit(from, &srgb, to, options).ok()
}

fn transformed(transform: &Transform, mut pixels: Pixels) -> Result<Pixels, Failure> {
    let layout = match pixels.layout {
        Layout::Grey | Layout::Rgb => Layout::Rgb,
        Layout::GreyAlpha | Layout::RgbAlpha => Layout::RgbAlpha,
        Layout::Cmyk => {
            // Profiles count ink.
            pixels.bytes.iter_mut().for_each(|byte| *byte = !*byte);
            Layout::Rgb
        }
    };
    let count = pixels.bytes.len() / usize::from(pixels.layout.channels());
    let mut bytes = vec![0; count.saturating_mul(usize::from(layout.channels()))];
    let done = transform.transform(&pixels.bytes, &mut bytes);
    done.map_err(Failure::internal)?;
    Ok(Pixels {
        layout,
        bytes,
        ..pixels
    })
}

fn divide_by_alpha(pixels: &mut Pixels) -> Result<(), Failure> {
    let Pixels {
        width,
        height,
        layout,
        bytes,
    } = pixels;
    let image = Image::from_slice_u8(*width, *height, bytes, layout.pixel_type());
    let mut image = image.map_err(Failure::internal)?;
    let divided = MulDiv::new().divide_alpha_inplace(&mut image);
    divided.map_err(Failure::internal)
}

/// Converts without a profile, as browsers do.
fn rgb_of_cmyk(pixels: Pixels) -> Pixels {
    let inks = pixels.bytes.as_chunks::<4>().0.iter();
    let bytes = inks.flat_map(|[cyan, magenta, yellow, black]| {
        [cyan, magenta, yellow].map(|ink| multiplied(*ink, *black))
    });
    Pixels {
        layout: Layout::Rgb,
        bytes: bytes.collect(),
        ..pixels
    }
}

/// Returns `a * b / 255`, rounded.
fn multiplied(a: u8, b: u8) -> u8 {
    let product = (u16::from(a).wrapping_mul(u16::from(b))).wrapping_add(127) / 255;
    u8::try_from(product).unwrap_or(u8::MAX)
}

fn without_needless_alpha(pixels: Pixels) -> Pixels {
    fn colours<const CHANNELS: usize>(bytes: &[u8]) -> Option<Vec<u8>> {
        let pixels = bytes.chunks_exact(CHANNELS);
        let is_opaque = |pixel: &[u8]| pixel.last() == Some(&u8::MAX);
        let colours = pixels.clone().filter_map(|pixel| pixel.split_last());
        pixels
            .into_iter()
            .all(is_opaque)
            .then(|| colours.flat_map(|(_, colour)| colour).copied().collect())
    }
    let opaque = match pixels.layout {
        Layout::GreyAlpha => colours::<2>(&pixels.bytes).map(|bytes| (Layout::Grey, bytes)),
        Layout::RgbAlpha => colours::<4>(&pixels.bytes).map(|bytes| (Layout::Rgb, bytes)),
        Layout::Grey | Layout::Rgb | Layout::Cmyk => None,
    };
    match opaque {
        Some((layout, bytes)) => Pixels {
            layout,
            bytes,
            ..pixels
        },
        None => pixels,
    }
}

fn picture_of(pixels: Pixels) -> Option<DynamicImage> {
    let Pixels {
        width,
        height,
        layout,
        bytes,
    } = pixels;
    match layout {
        Layout::Grey => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8),
        Layout::GreyAlpha => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageLumaA8)
        }
        Layout::Rgb => ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
        Layout::RgbAlpha => {
            ImageBuffer::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8)
        }
        Layout::Cmyk => None,
    }
}
