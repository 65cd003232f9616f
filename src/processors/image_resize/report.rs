//! What is reported about an image and its results.

use image::metadata::Orientation;
use serde::Serialize;

use super::encode::Encoded;
use super::format::Format;
use super::header::Header;
use super::output::Output;

/// What was done with the colour profile of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileUse {
    /// It has none, and is taken as sRGB.
    None,
    /// The colours were converted to sRGB.
    Applied,
    /// It is broken, or made for another kind of image. The image is taken as sRGB.
    Ignored,
}

/// What is reported about an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The format, which follows from the content.
    pub format: &'static str,
    /// The width in pixels, as it is stored.
    pub width: u32,
    /// The height in pixels, as it is stored.
    pub height: u32,
    /// The orientation in EXIF, from 1 to 8. 1 is upright.
    pub orientation: u8,
    /// What was done with its colour profile.
    pub profile: ProfileUse,
    /// Whether it has further frames, which were ignored.
    pub is_animated: bool,
    /// The results, the largest first.
    pub results: Vec<ResultReport>,
}

/// What is reported about a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResultReport {
    /// The name of its size.
    pub name: String,
    /// The format.
    pub format: &'static str,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The size in bytes.
    pub size: usize,
}

impl Report {
    /// The report without results.
    pub(super) fn new(format: Format, header: &Header, profile: ProfileUse) -> Self {
        Self {
            format: format.as_str(),
            width: header.dimensions.width,
            height: header.dimensions.height,
            orientation: Orientation::to_exif(header.orientation),
            profile,
            is_animated: header.is_animated,
            results: Vec::new(),
        }
    }

    /// Adds a result.
    pub(super) fn add(&mut self, encoded: &Encoded<'_>) {
        self.results.push(ResultReport {
            name: encoded.name.to_owned(),
            format: match encoded.output {
                Output::Jpeg => "JPEG",
                Output::Png => "PNG",
                Output::WebP => "WebP",
            },
            width: encoded.width,
            height: encoded.height,
            size: encoded.bytes.len(),
        });
    }
}
