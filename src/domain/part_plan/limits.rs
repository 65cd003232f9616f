//! What stores allow.
//!
//! Source: "Amazon S3 multipart upload limits", S3 user guide,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>

/// A mebibyte: part sizes that are chosen here are whole ones.
pub const MIB: u64 = 1 << 20;

/// The smallest part, but for the last one: 5 MiB.
pub const MIN_PART_SIZE: u64 = 5 * MIB;

/// The largest part: 5 GiB.
pub const MAX_PART_SIZE: u64 = 5 << 30;

/// The most parts of one upload; they are numbered from 1.
pub const MAX_PARTS: u32 = 10_000;

/// The largest object: 48.8 TiB, which are 10,000 parts of 5 GiB.
pub const MAX_OBJECT_SIZE: u64 = 53_687_091_200_000;

/// What a store allows, and the part size where nobody asks for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartLimits {
    /// Bytes of the smallest part, but for the last one.
    pub min_part_size: u64,
    /// Bytes of the largest part.
    pub max_part_size: u64,
    /// The most parts.
    pub max_parts: u32,
    /// Bytes of the largest object.
    pub max_size: u64,
    /// Bytes of a part where nothing is asked for and nothing larger is needed.
    pub default_part_size: u64,
}

impl PartLimits {
    /// Those of S3, with parts of 16 MiB: a lost one is soon sent again, and up to 156 GiB need
    /// no larger ones.
    pub const S3: Self = Self {
        min_part_size: MIN_PART_SIZE,
        max_part_size: MAX_PART_SIZE,
        max_parts: MAX_PARTS,
        max_size: MAX_OBJECT_SIZE,
        default_part_size: 16 * MIB,
    };

    /// The least part size, in whole MiB, of which no more than the most parts make up `size`.
    pub(super) fn least_part_size(&self, size: u64) -> u64 {
        (size.div_ceil(self.max_parts.into()))
            .next_multiple_of(MIB)
            .clamp(self.min_part_size, self.max_part_size)
    }
}
