//! Pixels in memory, eight bits a channel.

use fast_image_resize::PixelType;

/// What the channels of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Grey,
    GreyAlpha,
    Rgb,
    RgbAlpha,
    /// Cyan, magenta, yellow and black as Adobe writes them: 255 is no ink.
    Cmyk,
}

impl Layout {
    /// The number of channels, which is the number of bytes of a pixel.
    pub(super) const fn channels(self) -> u8 {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::RgbAlpha | Self::Cmyk => 4,
        }
    }

    /// Whether the last channel is the opacity.
    pub(super) const fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::RgbAlpha)
    }

    /// The type for resizing. For it, four channels are four channels.
    pub(super) const fn pixel_type(self) -> PixelType {
        match self {
            Self::Grey => PixelType::U8,
            Self::GreyAlpha => PixelType::U8x2,
            Self::Rgb => PixelType::U8x3,
            Self::RgbAlpha | Self::Cmyk => PixelType::U8x4,
        }
    }
}

/// An image. Colours are premultiplied with the opacity if there is one.
#[derive(Clone, Debug)]
pub(super) struct Pixels {
    /// The width in pixels.
    pub(super) width: u32,
    /// The height in pixels.
    pub(super) height: u32,
    pub(super) layout: Layout,
    /// The rows from top to bottom, without padding.
    pub(super) bytes: Vec<u8>,
}

/// The number of bytes of an image.
pub(super) fn byte_count(width: u32, height: u32, channels: u8) -> u64 {
    u64::from(width)
        .saturating_mul(u64::from(height))
        .saturating_mul(u64::from(channels))
}
