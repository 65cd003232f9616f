//! The formats of results.

/// A format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// With loss, without opacity.
    Jpeg,
    /// Without loss.
    Png,
    /// Without loss: there is no encoder with loss that needs no library in C.
    WebP,
}
