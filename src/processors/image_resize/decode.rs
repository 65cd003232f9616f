//! What the decoders of all formats have in common.

use super::failure::Failure;
use super::header::Header;
use super::pixels::Pixels;
use super::reduce::Reducer;

/// An image whose header was read.
pub(super) trait Decode {
    /// The header.
    fn header(&self) -> &Header;

    /// Decodes the image to its very end.
    fn decode(self: Box<Self>, reducer: Reducer) -> Result<Pixels, Failure>;
}
