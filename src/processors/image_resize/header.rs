//! What is known about an image before it is decoded.

use image::metadata::Orientation;

use super::pixels::Layout;
use super::size::Dimensions;

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
