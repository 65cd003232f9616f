//! Quotas: how much all uploads of a tenant may use in total.
//!
//! How much an upload counts follows from its state alone, so that every status transition changes
//! the usage by exactly the difference. The migrations have the same table in the SQL function
//! `quota_bytes_of`.
//!
//! | state | open | bytes |
//! |---|---|---|
//! | Pending | 1 | the declared size; if it is open, the parts that URLs were signed for |
//! | Uploaded, Processing, Processed | – | those of the proven object |
//! | Error of processing | – | those of the proven object: the dataset still exists |
//! | Deleting | – | those of the proven object, until it is gone |
//! | any of these, after a drift | – | at least those of the object that its own URL wrote instead
//! |
//! | Error of an upload, Expired | – | those of the wrong object, if its URL has written one |
//! | Cancelled, Deleted, Superseded | – | – |
//!
//! So an upload that replaces a dataset counts in addition to it until it is acknowledged. A single
//! PUT whose size becomes known late, or that arrives after the upload expired, may exceed the
//! quota: the usage reports what is in the bucket, and the next create is refused. A wrong object
//! counts until it is deleted or a dataset replaces it; the janitor checks it once more after its
//! URL has expired.

use super::status::Status;

/// The most that all uploads of a tenant may use in total; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The bytes of datasets and open uploads.
    pub bytes: Option<u64>,
    /// The number of Pending uploads.
    pub open_uploads: Option<u64>,
}

/// What the uploads of a tenant use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The bytes of datasets and open uploads.
    pub bytes: u64,
    /// The number of Pending uploads.
    pub open_uploads: u64,
}

/// A quota that would be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// `bytes` or `open-uploads`.
    pub quota: &'static str,
    /// The limit.
    pub limit: u64,
    /// The current usage.
    pub in_use: u64,
    /// The requested addition; at least 1, because an upload without a declared size needs some
    /// room too.
    pub asked: u64,
}

impl Quota {
    /// Whether any quota is set.
    pub fn is_some(&self) -> bool {
        self.bytes.is_some() || self.open_uploads.is_some()
    }

    /// Adds an upload of `size` bytes to `usage`.
    ///
    /// A size that is not declared adds nothing, but is refused if the quota is used up.
    ///
    /// # Errors
    /// A quota would be exceeded; `usage` is unchanged.
    pub fn add_upload(&self, usage: &mut Usage, size: Option<u64>) -> Result<(), Exceeded> {
        fits("open-uploads", self.open_uploads, usage.open_uploads, 1)?;
        fits("bytes", self.bytes, usage.bytes, size.unwrap_or(1))?;
        usage.open_uploads = usage.open_uploads.saturating_add(1);
        usage.bytes = usage.bytes.saturating_add(size.unwrap_or(0));
        Ok(())
    }
}

impl Quota {
    /// Adds `bytes` for an upload that `usage` already counts.
    ///
    /// # Errors
    /// The quota would be exceeded; `usage` is unchanged.
    pub fn add_bytes(&self, usage: &mut Usage, bytes: u64) -> Result<(), Exceeded> {
        if bytes > 0 {
            fits("bytes", self.bytes, usage.bytes, bytes)?;
        }
        usage.bytes = usage.bytes.saturating_add(bytes);
        Ok(())
    }
}

/// The total size in bytes of the signed parts of an open-ended upload, after more parts are
/// signed.
///
/// `sum` is the total so far. `asked` has, for each requested part, the size that was signed for it
/// before (0 if none was) and the size that is requested now. A part that is signed again counts
/// once, with its larger size.
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

/// The bytes that an upload counts: `size` is the declared size, `object_size` the size of the
/// proven object, and `unproven_size` the size of a wrong object that its URL has written.
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
    fn add_upload_fails_if_a_quota_would_be_exceeded() {
        let quota = Quota {
            bytes: Some(10),
            open_uploads: Some(2),
        };
        let mut usage = Usage::default();
        assert_eq!(quota.add_upload(&mut usage, Some(7)), Ok(()));
        let exceeded = Exceeded {
            quota: "bytes",
            limit: 10,
            in_use: 7,
            asked: 4,
        };
        assert_eq!(quota.add_upload(&mut usage, Some(4)), Err(exceeded));
        assert_eq!(quota.add_upload(&mut usage, Some(3)), Ok(()));
        let refused = quota.add_upload(&mut usage, Some(0));
        assert_eq!(
            refused.map_err(|exceeded| exceeded.quota),
            Err("open-uploads")
        );
        assert_eq!((usage.bytes, usage.open_uploads), (10, 2));
    }

    #[test]
    fn part_that_is_signed_again_counts_once_with_larger_size() {
        let sum = signed_bytes(0, [(0, 5), (0, 7)].into_iter());
        assert_eq!(sum, 12);
        assert_eq!(signed_bytes(sum, [(5, 5), (7, 3)].into_iter()), 12);
        assert_eq!(signed_bytes(sum, [(5, 6)].into_iter()), 13);
        assert_eq!(signed_bytes(u64::MAX, [(0, 1)].into_iter()), u64::MAX);
    }

    #[test]
    fn add_bytes_needs_room_only_for_additional_bytes() {
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
        let refused = quota.add_bytes(&mut usage, 1);
        assert_eq!(
            refused.map_err(|exceeded| (exceeded.in_use, exceeded.asked)),
            Err((10, 1))
        );
    }

    #[test]
    fn upload_without_size_is_refused_if_quota_is_used_up() {
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
