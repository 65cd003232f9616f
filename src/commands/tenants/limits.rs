//! The limits of a tenant, as they are written on the command line.

use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::Args;

use crate::config::ContentTypes;
use crate::objects::sign::MAX_EXPIRES_IN;
use crate::usecases::tenants::{Change, Changes};

/// What Postgres can keep.
const MOST: u64 = i64::MAX.unsigned_abs();
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

#[derive(Debug, Default, Args)]
pub(in crate::commands) struct Limits {
    /// Bytes of all datasets and open uploads together
    #[arg(long, value_name = "N", value_parser = number(0..=MOST))]
    quota_bytes: Option<Change<u64>>,
    /// Open uploads at a time
    #[arg(long, value_name = "N", value_parser = number(0..=MOST))]
    quota_open_uploads: Option<Change<u64>>,
    /// Bytes of the largest dataset; never more than the broker's own limit
    #[arg(long, value_name = "N", value_parser = number(1..=MOST))]
    max_size: Option<Change<u64>>,
    /// Content types that uploads may have, as text/csv,image/*; beside the broker's own list
    #[arg(long, value_name = "LIST", value_parser = content_types)]
    content_types: Option<Change<Vec<String>>>,
    /// Seconds that a URL lives where the client does not say
    #[arg(long, value_name = "N", value_parser = number(1..=MAX_EXPIRES_IN))]
    url_seconds: Option<Change<u32>>,
    /// Seconds that a URL may live
    #[arg(long, value_name = "N", value_parser = number(1..=MAX_EXPIRES_IN))]
    max_url_seconds: Option<Change<u32>>,
    /// Days that uploads are kept that ended, with their history; datasets stay
    #[arg(long, value_name = "N", value_parser = number(1..=MOST_DAYS))]
    retention_days: Option<Change<u32>>,
}

impl From<Limits> for Changes {
    fn from(limits: Limits) -> Self {
        Self {
            quota_bytes: limits.quota_bytes.unwrap_or_default(),
            quota_open_uploads: limits.quota_open_uploads.unwrap_or_default(),
            max_size: limits.max_size.unwrap_or_default(),
            content_types: limits.content_types.unwrap_or_default(),
            url_seconds: limits.url_seconds.unwrap_or_default(),
            max_url_seconds: limits.max_url_seconds.unwrap_or_default(),
            retention_days: limits.retention_days.unwrap_or_default(),
        }
    }
}

/// A number in `range`, or `none`.
fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<Change<T>, String> + Clone
where
    T: Clone + FromStr + PartialOrd + std::fmt::Display + Send + Sync,
{
    move |text: &str| {
        if text == "none" {
            return Ok(Change::Lift);
        }
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Change::To).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!("expected a number from {least} to {most}, or none")
        })
    }
}

/// A list of content types, or `none`.
fn content_types(text: &str) -> Result<Change<Vec<String>>, String> {
    if text == "none" {
        return Ok(Change::Lift);
    }
    let patterns = ContentTypes::parse(text)?.into_patterns();
    Ok(patterns.map_or(Change::Lift, Change::To))
}
