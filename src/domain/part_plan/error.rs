//! What cannot be cut, or does not fit in.

/// Why an object cannot be cut as asked. Its text goes to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No part size makes it fit.
    #[error("must be at most {max} bytes, the largest object that the store takes")]
    TooLarge {
        /// Bytes of the largest object.
        max: u64,
    },
    /// A part size that the store refuses.
    #[error("must be {min} to {max} bytes")]
    PartSize {
        /// Bytes of the smallest part.
        min: u64,
        /// Bytes of the largest part.
        max: u64,
    },
    /// More parts than the store takes.
    #[error(
        "must be at least {least} bytes: an upload has at most {max_parts} parts, and parts of \
         the asked size would be {parts}"
    )]
    TooManyParts {
        /// How many there would be.
        parts: u64,
        /// How many there may be.
        max_parts: u32,
        /// Bytes of the least part size that fits, in whole MiB.
        least: u64,
    },
}

impl PlanError {
    /// The field of the request that is at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "size",
            Self::PartSize { .. } | Self::TooManyParts { .. } => "part_size",
        }
    }
}

/// Why a part does not belong into a plan. Its text goes to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// No part has this number.
    #[error("must be 1 to {last}")]
    Number {
        /// The last number.
        last: u32,
    },
    /// Not the size that was planned.
    #[error("must be {planned} bytes, as planned")]
    NotAsPlanned {
        /// The planned size in bytes.
        planned: u64,
    },
    /// Smaller or larger than the store takes.
    #[error("must be 1 to {max} bytes")]
    Size {
        /// Bytes of the largest part.
        max: u64,
    },
}

impl PartError {
    /// The field of the request that is at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Number { .. } => "part_number",
            Self::NotAsPlanned { .. } | Self::Size { .. } => "size",
        }
    }
}
