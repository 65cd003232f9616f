//! Options without a fault.

use super::encode::Output;
use super::options::Size;

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
