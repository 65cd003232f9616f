//! Downloads one version of a dataset, across broken connections, slow stores and expired URLs.

use reqwest::header::{CONTENT_RANGE, ETAG};
use reqwest::{Response, StatusCode};

use super::sink::{Sink, Verification};
use super::target::Target;
use crate::client::api::Detail;
use crate::client::api::wire::SignedUrl;
use crate::client::context::Context;
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::retry::RetryLimits;
use crate::client::s3::{self, S3};
use crate::client::size::human;

/// How many fresh URLs are requested in a row without receiving a single byte.
const MAX_FRESH_URLS: u32 = 3;

/// A finished download.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) level: Verification,
    /// How many bytes an earlier run had downloaded.
    pub(super) resumed_at: u64,
}

/// Why a download has to start again, or fails.
pub(super) enum DownloadError {
    /// The dataset was replaced by other bytes.
    Replaced,
    /// The received bytes do not have the expected checksum.
    Corrupted(String),
    /// The download cannot succeed.
    Fatal(Error),
}

impl From<Error> for DownloadError {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

/// Downloads exactly this version.
pub(super) async fn fetch(
    context: &Context,
    s3: &S3,
    detail: &Detail,
    target: &Target,
) -> Result<Fetched, DownloadError> {
    let mut sink = Sink::open(target, detail).await?;
    let resumed_at = sink.written;
    let name = detail.path.rsplit('/').next().unwrap_or_default();
    let name = crate::client::output::printable(name);
    if resumed_at > 0 {
        let (done, size) = (human(resumed_at), human(detail.size));
        context
            .output
            .note(&format!("{name}: resuming at {done} of {size}"));
    }
    let transfer = context
        .output
        .transfer(&name, Some(detail.size), resumed_at);
    let downloaded = download_all(context, s3, detail, &mut sink, &transfer).await;
    drop(transfer);
    match downloaded {
        Ok(()) => {}
        Err(DownloadError::Replaced) => {
            if sink.discard()? {
                return Err(DownloadError::Replaced);
            }
            let what = "the dataset was replaced during the download, and part of it has already been written";
            return Err(Error::Conflict(what.to_owned()).into());
        }
        Err(error) => return Err(error),
    }
    match sink.finish(target)? {
        Ok(level) => Ok(Fetched { level, resumed_at }),
        Err((sink, what)) => match sink.discard()? {
            true => Err(DownloadError::Corrupted(what)),
            false => Err(Error::Mismatch(what).into()),
        },
    }
}

/// Downloads until every byte has arrived.
async fn download_all(
    context: &Context,
    s3: &S3,
    detail: &Detail,
    sink: &mut Sink,
    transfer: &Transfer,
) -> Result<(), DownloadError> {
    let retry_limits = RetryLimits::default();
    let mut url = detail.download_url.clone();
    let (mut failures, mut fresh_urls) = (0, 0);
    while sink.written < detail.size {
        let before = sink.written;
        let Err(error) = stream(s3, &url, detail, sink, transfer).await else {
            continue;
        };
        if sink.written > before {
            retry_limits.record_response();
            (failures, fresh_urls) = (0, 0);
        }
        let DownloadError::Fatal(error) = error else {
            return Err(error);
        };
        if s3::is_url_rejected(&error) && fresh_urls < MAX_FRESH_URLS {
            fresh_urls += 1;
            let current = context.api.dataset(&detail.path).await?;
            if current.etag != detail.etag {
                return Err(DownloadError::Replaced);
            }
            url = current.download_url;
            continue;
        }
        failures += 1;
        match retry_limits.next_delay(failures, None) {
            Some(delay) if s3::is_transient(&error) => tokio::time::sleep(delay).await,
            _ => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads the bytes of one connection.
async fn stream(
    s3: &S3,
    url: &SignedUrl,
    detail: &Detail,
    sink: &mut Sink,
    transfer: &Transfer,
) -> Result<(), DownloadError> {
    let mut response = match s3.get(url, &detail.etag, sink.written).await {
        Ok(response) => response,
        // The object is gone, has other bytes, or has fewer of them.
        Err(Error::Store {
            status: 404 | 412 | 416,
            ..
        }) => return Err(DownloadError::Replaced),
        Err(error) => return Err(error.into()),
    };
    // A store that does not support ranges sends the whole object.
    let mut skip = match range_start(&response, detail)? {
        Some(begin) if begin == sink.written => 0,
        Some(begin) => {
            let what = format!(
                "the store sent the bytes from offset {begin}, not from {}",
                sink.written
            );
            return Err(Error::UnexpectedResponse(what).into());
        }
        None => sink.written,
    };
    while let Some(bytes) = s3::chunk(&mut response).await? {
        let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
        let fresh = bytes.get(skipped..).unwrap_or_default();
        skip = skip.saturating_sub(u64::try_from(skipped).unwrap_or(u64::MAX));
        let count = u64::try_from(fresh.len()).unwrap_or(u64::MAX);
        if sink.written.saturating_add(count) > detail.size {
            return Err(DownloadError::Replaced);
        }
        sink.write(fresh)?;
        transfer.advance(count);
    }
    if sink.written < detail.size {
        let what = "closed the connection before the end of the object".to_owned();
        return Err(Error::Unavailable {
            service: "the store",
            what,
        }
        .into());
    }
    Ok(())
}

/// The offset of the first byte of the response; `None` for a whole object. Also compares the ETag,
/// because some stores ignore `If-Match`.
fn range_start(response: &Response, detail: &Detail) -> Result<Option<u64>, DownloadError> {
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if header(ETAG).is_some_and(|etag| etag.trim_matches('"') != detail.etag.trim_matches('"')) {
        return Err(DownloadError::Replaced);
    }
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Ok(None);
    }
    let range = header(CONTENT_RANGE).unwrap_or_default();
    let begin = range
        .strip_prefix("bytes ")
        .and_then(|range| range.split('-').next());
    let begin = begin.and_then(|begin| begin.parse().ok());
    match begin {
        Some(begin) => Ok(Some(begin)),
        None => {
            Err(Error::UnexpectedResponse("the store sent no Content-Range header".into()).into())
        }
    }
}
