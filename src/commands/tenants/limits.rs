//! The limits of a tenant as command-line options.

use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::Args;

use crate::config::ContentTypes;
use crate::objects::sign::MAX_EXPIRES_IN;
use crate::usecases::tenants::{Change, Changes};

/// The largest number that Postgres can store.
const MOST: u64 = i64::MAX.unsigned_abs();
/// A hundred years.
const MOST_DAYS: u32 = 36_500;

#[derive(Debug, Default, Args)]
pub(in crate::commands) struct Limits {
    /// Maximum bytes of all datasets and open uploads
    #[arg(long, value_name = "N", value_parser = number(0..=MOST))]
    quota_bytes: Option<Change<u64>>,
    /// Maximum number of open uploads
    #[arg(long, value_name = "N", value_parser = number(0..=MOST))]
    quota_open_uploads: Option<Change<u64>>,
    /// Maximum size of a dataset in bytes; the broker's own limit still applies
    #[arg(long, value_name = "N", value_parser = number(1..=MOST))]
    max_size: Option<Change<u64>>,
    /// Allowed content types, such as text/csv,image/*; the broker's own list still applies
    #[arg(long, value_name = "LIST", value_parser = content_types)]
    content_types: Option<Change<Vec<String>>>,
    /// Default lifetime of a URL in seconds
    #[arg(long, value_name = "N", value_parser = number(1..=MAX_EXPIRES_IN))]
    url_seconds: Option<Change<u32>>,
    /// Maximum lifetime of a URL in seconds
    #[arg(long, value_name = "N", value_parser = number(1..=MAX_EXPIRES_IN))]
    max_url_seconds: Option<Change<u32>>,
    /// Days that ended uploads are kept with their history; datasets are not affected
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

/// A parser of a number in `range`, or of `none`.
fn number<T>(range: RangeInclusive<T>) -> impl Fn(&str) -> Result<Change<T>, String> + Clone
where
    T: Clone + FromStr + PartialOrd + std::fmt::Display + Send + Sync,
{
    move |text: &str| {
        if text == "none" {
            return Ok(Change::Remove);
        }
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Change::Set).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!("expected a number from {least} to {most}, or none")
        })
    }
}

/// Parses a list of content types, or `none`.
fn content_types(text: &str) -> Result<Change<Vec<String>>, String> {
    if text == "none" {
        return Ok(Change::Remove);
    }
    let patterns = ContentTypes::parse(text)?.into_patterns();
    Ok(patterns.map_or(Change::Remove, Change::Set))
}
