//! Why an image has no smaller versions.

use std::io;

/// A failure, with an explanation for the owner of the dataset.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The bytes are of a format that is known and not supported.
    #[error("{0}: expected JPEG, PNG, WebP or GIF")]
    Unsupported(&'static str),
    /// The bytes are of no format that is known.
    #[error("the bytes are not those of an image: expected JPEG, PNG, WebP or GIF")]
    NotAnImage,
    /// The image uses a feature of its format that is not supported.
    #[error("{0} is not supported")]
    Feature(&'static str),
    /// The bytes end before the image does.
    #[error("the image is cut off: its end is missing")]
    Truncated,
    /// The bytes break the rules of their format.
    #[error("the image is damaged: {0}")]
    Corrupt(String),
    /// The image has too many pixels.
    #[error("the image has {width} × {height} pixels: more than {max_pixels}")]
    TooManyPixels {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
        /// The option.
        max_pixels: u64,
    },
    /// No file of this size can have so many pixels.
    #[error("a file of {size} bytes cannot have {width} × {height} pixels")]
    Implausible {
        /// The width in pixels.
        width: u32,
        /// The height in pixels.
        height: u32,
        /// The size of the file in bytes.
        size: u64,
    },
    /// The image needs too much memory.
    #[error("the image needs about {needed} bytes of memory: more than {allowed}")]
    TooLarge {
        /// The estimate in bytes.
        needed: u64,
        /// What there is, in bytes.
        allowed: u64,
    },
    /// The input cannot be read.
    #[error("the image cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The results cannot be written.
    #[error("the results cannot be written: {0}")]
    Write(#[source] io::Error),
    /// A library refuses what it was given, which is a bug.
    #[error("the image cannot be resized: {0}")]
    Internal(String),
}

impl Failure {
    /// The code in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsupported(_) => "unsupported-format",
            Self::NotAnImage => "not-an-image",
            Self::Feature(_) => "unsupported-feature",
            Self::Truncated => "truncated-image",
            Self::Corrupt(_) => "corrupt-image",
            Self::TooManyPixels { .. } => "too-many-pixels",
            Self::Implausible { .. } => "implausible-size",
            Self::TooLarge { .. } => "image-too-large",
            Self::Read(_) => "read",
            Self::Write(_) => "write",
            Self::Internal(_) => "internal",
        }
    }

    /// Whether the same image would fail again.
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::Read(_) | Self::Write(_))
    }

    /// The failure of a library for encoding or resizing.
    pub(super) fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }

    /// The failure of a decoder.
    pub(super) fn corrupt(cause: impl std::fmt::Display) -> Self {
        Self::Corrupt(cause.to_string())
    }
}
