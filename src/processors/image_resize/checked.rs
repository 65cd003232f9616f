//! Options without a fault.

use serde::Deserialize;

use super::output::Output;

/// A size, into which the image is fitted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// The name of the result.
    pub name: String,
    /// The largest width in pixels.
    pub max_width: u32,
    /// The largest height in pixels.
    pub max_height: u32,
}

/// Options that were checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The sizes to make, with distinct names.
    pub(super) sizes: Vec<Size>,
    /// The format of the results; `None` lets the image decide.
    pub(super) output: Option<Output>,
    /// The quality of JPEG, from 1 to 100.
    pub(super) quality: u8,
    /// The largest number of pixels of an image.
    pub(super) max_pixels: u64,
}
