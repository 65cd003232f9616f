//! Images for unit tests.

use image::metadata::Orientation;

use super::header::Header;
use super::pixels::Layout;
use super::size::Dimensions;

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
