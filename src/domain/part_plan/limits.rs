//! Limits of stores for multipart uploads.
//!
//! Source: "Amazon S3 multipart upload limits", S3 user guide,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

/// A mebibyte in bytes. Computed part sizes are multiples of it.
pub const MIB: u64 = 1 << 20;

/// The smallest size of any part except the last: 5 MiB.
pub const MIN_PART_SIZE: u64 = 5 * MIB;

/// The largest size of a part: 5 GiB.
pub const MAX_PART_SIZE: u64 = 5 << 30;

/// The largest number of parts of one upload. Parts are numbered from 1.
pub const MAX_PARTS: u32 = 10_000;

/// The largest size of an object: 48.8 TiB, which is 10,000 parts of 5 GiB.
pub const MAX_OBJECT_SIZE: u64 = 53_687_091_200_000;

/// The limits of a store, and the default part size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartLimits {
    /// The smallest size of any part except the last, in bytes.
    pub min_part_size: u64,
    /// The largest size of a part, in bytes.
    pub max_part_size: u64,
    /// The largest number of parts.
    pub max_parts: u32,
    /// The largest size of an object, in bytes.
    pub max_size: u64,
    /// The part size in bytes if the client requests none and the object needs no larger one.
    pub default_part_size: u64,
}

impl PartLimits {
    /// The limits of S3, with a default part size of 16 MiB: a lost part is quickly sent again, and
    /// objects of up to 156 GiB need no larger parts.
    pub const S3: Self = Self {
        min_part_size: MIN_PART_SIZE,
        max_part_size: MAX_PART_SIZE,
        max_parts: MAX_PARTS,
        max_size: MAX_OBJECT_SIZE,
        default_part_size: 16 * MIB,
    };

    /// The smallest part size, in whole MiB, with which `size` bytes need no more than `max_parts`.
    pub(super) fn smallest_part_size(&self, size: u64) -> u64 {
        (size.div_ceil(self.max_parts.into()))
            .next_multiple_of(MIB)
            .clamp(self.min_part_size, self.max_part_size)
    }
}
