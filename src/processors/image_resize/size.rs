//! Width and height.

use super::failure::Failure;

/// The size of an image in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dimensions {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Dimensions {
    /// The number of pixels.
    pub(super) fn pixels(self) -> u64 {
        u64::from(self.width).saturating_mul(u64::from(self.height))
    }

    /// Refuses an image without pixels, or with more than `max_pixels`.
    pub(super) fn ensure_within_limits(self, max_pixels: u64) -> Result<(), Failure> {
        let Self { width, height } = self;
        match self.pixels() {
            0 => Err(Failure::Corrupt("it has no pixels".to_owned())),
            pixels if pixels > max_pixels => Err(Failure::TooManyPixels {
                width,
                height,
                max_pixels,
            }),
            _ => Ok(()),
        }
    }

    /// Refuses an image with more pixels than a file of `size` bytes can have, if each byte holds
    /// at most `pixels_per_byte`.
    pub(super) fn check_plausible(self, size: u64, pixels_per_byte: u64) -> Result<(), Failure> {
        let Self { width, height } = self;
        match self.pixels() > size.saturating_mul(pixels_per_byte) {
            true => Err(Failure::Implausible {
                width,
                height,
                size,
            }),
            false => Ok(()),
        }
    }

    /// The same with width and height exchanged.
    pub(super) fn transposed(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }

    /// Fits this into a box and keeps the proportions. The result is never larger than this, and
    /// has at least one pixel a side.
    pub(super) fn fitted(self, max_width: u32, max_height: u32) -> Self {
        if self.width <= max_width && self.height <= max_height {
            return self;
        }
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        let (box_width, box_height) = (u64::from(max_width), u64::from(max_height));
        let is_bound_by_width = width * box_height >= height * box_width;
        match is_bound_by_width {
            true => Self {
                width: max_width,
                height: scaled(height, box_width, width).min(max_height),
            },
            false => Self {
                width: scaled(width, box_height, height).min(max_width),
                height: max_height,
            },
        }
    }
}

/// Returns `side * to / from`, rounded, and at least 1.
fn scaled(side: u64, to: u64, from: u64) -> u32 {
    let scaled = (side * to + from / 2).checked_div(from).unwrap_or(1);
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_fitted_and_never_enlarged() {
        for (from, to, expected) in [
            ((6000, 4000), (320, 320), (320, 213)),
            ((4000, 6000), (320, 320), (213, 320)),
            ((100, 50), (320, 320), (100, 50)),
            ((100, 50), (100, 50), (100, 50)),
            ((65_535, 1), (100, 100), (100, 1)),
            ((1, 65_535), (100, 7), (1, 7)),
            ((1000, 999), (10, 10), (10, 10)),
            ((3, 2), (2, 2), (2, 1)),
        ] {
            let from = Dimensions {
                width: from.0,
                height: from.1,
            };
            let fitted = from.fitted(to.0, to.1);
            assert_eq!((fitted.width, fitted.height), expected, "{from:?} {to:?}");
        }
    }
}
