//! Quotas: what all uploads of a tenant together may take.
//!
//! What an upload counts with follows from its state alone, so that every arrow takes or gives
//! back exactly the difference. The migrations have the same table as `quota_bytes_of`.
//!
//! | state | open | bytes |
//! |---|---|---|
//! | Pending | 1 | the declared size; where it is open, the parts that URLs were signed for |
//! | Uploaded, Processing, Processed | – | the proven object's |
//! | Error of processing | – | the proven object's: the dataset still stands |
//! | Deleting | – | the proven object's, until it is gone |
//! | the same, once it has drifted | – | at least those that its own URL wrote in its place |
//! | Error of an upload, Expired | – | the wrong object's, where its URL has written one |
//! | Cancelled, Deleted, Superseded | – | – |
//!
//! So an upload that replaces a dataset counts beside it until it is acknowledged. A single PUT whose
//! size becomes known late, or one that came after it expired, may pass the quota: what stands in the
//! bucket is told as it is, and the next create is refused. A wrong object counts until it is
//! deleted, or a dataset takes its place; after the end of its URL it is looked at once more.

use super::status::Status;

/// What all uploads of a tenant together may take; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Of datasets and open uploads.
    pub bytes: Option<u64>,
    /// Uploads that are Pending.
    pub open_uploads: Option<u64>,
}

/// What a tenant takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of datasets and open uploads.
    pub bytes: u64,
    /// Uploads that are Pending.
    pub open_uploads: u64,
}

/// A quota that does not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// `bytes` or `open-uploads`.
    pub quota: &'static str,
    /// What the tenant may take.
    pub limit: u64,
    /// What it takes.
    pub in_use: u64,
    /// What was asked for beside that; at least 1, as an upload without a size needs some room too.
    pub asked: u64,
}

impl Quota {
    /// Whether there is any.
    pub fn is_some(&self) -> bool {
        self.bytes.is_some() || self.open_uploads.is_some()
    }

    /// Takes one more upload of `size` bytes into `usage`, or says which quota it would pass. A
    /// size that is not declared counts for nothing, but finds no room in a quota that is used up.
    pub fn add_upload(&self, usage: &mut Usage, size: Option<u64>) -> Result<(), Exceeded> {
        fits("open-uploads", self.open_uploads, usage.open_uploads, 1)?;
        fits("bytes", self.bytes, usage.bytes, size.unwrap_or(1))?;
        usage.open_uploads = usage.open_uploads.saturating_add(1);
        usage.bytes = usage.bytes.saturating_add(size.unwrap_or(0));
        Ok(())
    }
}

impl Quota {
    /// Takes `bytes` more for an upload that `usage` counts already, or says that they do not fit.
    pub fn add_bytes(&self, usage: &mut Usage, bytes: u64) -> Result<(), Exceeded> {
        if bytes > 0 {
            fits("bytes", self.bytes, usage.bytes, bytes)?;
        }
        usage.bytes = usage.bytes.saturating_add(bytes);
        Ok(())
    }
}

/// What the parts of an open-ended upload add up to, in bytes, once those that are `asked` for are
/// signed too: each with the size that was signed before, 0 where none was, and the size that it is
/// asked for with. A part counts once, with its larger size.
pub fn signed_bytes(sum: u64, asked: impl Iterator<Item = (u64, u64)>) -> u64 {
    let more = asked.map(|(before, now)| now.saturating_sub(before));
    more.fold(sum, u64::saturating_add)
}

fn fits(quota: &'static str, limit: Option<u64>, in_use: u64, asked: u64) -> Result<(), Exceeded> {
    match limit {
        Some(limit) if in_use.saturating_add(asked) > limit => Err(Exceeded {
            quota,
            limit,
            in_use,
            asked,
        }),
        _ => Ok(()),
    }
}

/// The bytes that an upload counts with: `size` was declared, `object_size` was proven, and
/// `unproven_size` stands in the bucket all the same.
pub fn bytes_of(
    status: Status,
    size: Option<u64>,
    object_size: Option<u64>,
    unproven_size: Option<u64>,
) -> u64 {
    let bytes = match status {
        Status::Pending => size,
        Status::Uploaded
        | Status::Processing
        | Status::Processed
        | Status::Error
        | Status::Deleting => object_size.max(unproven_size),
        Status::Expired => unproven_size,
        Status::Cancelled | Status::Deleted | Status::Superseded => None,
    };
    bytes.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_taken_and_the_rest_is_told() {
        let quota = Quota {
            bytes: Some(10),
            open_uploads: Some(2),
        };
        let mut usage = Usage::default();
        assert_eq!(quota.add_upload(&mut usage, Some(7)), Ok(()));
        let told = Exceeded {
            quota: "bytes",
            limit: 10,
            in_use: 7,
            asked: 4,
        };
        assert_eq!(quota.add_upload(&mut usage, Some(4)), Err(told));
        assert_eq!(quota.add_upload(&mut usage, Some(3)), Ok(()));
        let told = quota
            .add_upload(&mut usage, Some(0))
            .map_err(|told| told.quota);
        assert_eq!(told, Err("open-uploads"));
        assert_eq!((usage.bytes, usage.open_uploads), (10, 2));
    }

    #[test]
    fn a_part_that_is_signed_again_counts_once_with_its_larger_size() {
        let sum = signed_bytes(0, [(0, 5), (0, 7)].into_iter());
        assert_eq!(sum, 12);
        assert_eq!(signed_bytes(sum, [(5, 5), (7, 3)].into_iter()), 12);
        assert_eq!(signed_bytes(sum, [(5, 6)].into_iter()), 13);
        assert_eq!(signed_bytes(u64::MAX, [(0, 1)].into_iter()), u64::MAX);
    }

    #[test]
    fn what_grows_needs_room_and_what_does_not_needs_none() {
        let quota = Quota {
            bytes: Some(10),
            open_uploads: Some(0),
        };
        let mut usage = Usage {
            bytes: 8,
            open_uploads: 1,
        };
        assert_eq!(quota.add_bytes(&mut usage, 2), Ok(()));
        assert_eq!(quota.add_bytes(&mut usage, 0), Ok(()));
        let told = quota
            .add_bytes(&mut usage, 1)
            .map_err(|told| (told.in_use, told.asked));
        assert_eq!(told, Err((10, 1)));
    }

    #[test]
    fn an_open_end_needs_some_room() {
        let quota = Quota {
            bytes: Some(10),
            open_uploads: None,
        };
        let mut usage = Usage {
            bytes: 9,
            open_uploads: 0,
        };
        assert_eq!(quota.add_upload(&mut usage, None), Ok(()));
        assert_eq!(usage.bytes, 9);
        usage.bytes = 10;
        assert!(quota.add_upload(&mut usage, None).is_err());
        assert_eq!(
            quota.add_upload(&mut usage, Some(0)),
            Ok(()),
            "an empty one fits"
        );
    }
}
