//! Why an object cannot be divided into parts, or a part does not fit into the plan.

/// Why an object cannot be divided as requested. The text is sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The object is too large for any part size.
    #[error("must be at most {max} bytes, the largest object that the store accepts")]
    TooLarge {
        /// The size of the largest object in bytes.
        max: u64,
    },
    /// The store would refuse parts of this size.
    #[error("must be {min} to {max} bytes")]
    PartSize {
        /// The size of the smallest part in bytes.
        min: u64,
        /// The size of the largest part in bytes.
        max: u64,
    },
    /// There would be more parts than the store allows.
    #[error(
        "must be at least {least} bytes: an upload has at most {max_parts} parts, and the \
         requested part size would make {parts}"
    )]
    TooManyParts {
        /// The number of parts that the requested size would make.
        parts: u64,
        /// The largest allowed number of parts.
        max_parts: u32,
        /// The smallest part size that fits, in bytes, rounded up to whole MiB.
        least: u64,
    },
}

impl PlanError {
    /// The name of the request field at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "size",
            Self::PartSize { .. } | Self::TooManyParts { .. } => "part_size",
        }
    }
}

/// Why a part does not fit into a plan. The text is sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// The number is not in the plan.
    #[error("must be 1 to {last}")]
    Number {
        /// The largest allowed number.
        last: u32,
    },
    /// The size is not the planned one.
    #[error("must be {planned} bytes, as planned")]
    NotAsPlanned {
        /// The planned size in bytes.
        planned: u64,
    },
    /// The size is outside the range that the store allows.
    #[error("must be 1 to {max} bytes")]
    Size {
        /// The size of the largest part in bytes.
        max: u64,
    },
}

impl PartError {
    /// The name of the request field at fault.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Number { .. } => "part_number",
            Self::NotAsPlanned { .. } | Self::Size { .. } => "size",
        }
    }
}
