//! One download of one version of a dataset: through broken connections, slow stores and URLs that
//! end on the way.

use reqwest::header::{CONTENT_RANGE, ETAG};
use reqwest::{Response, StatusCode};

use super::sink::{Level, Sink};
use super::target::Target;
use crate::client::Context;
use crate::client::api::Detail;
use crate::client::api::wire::SignedUrl;
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;
use crate::client::retry::Patience;
use crate::client::s3::{self, S3};
use crate::client::size::human;

/// How often in a row a fresh URL is asked for without a single byte in between.
const URLS: u32 = 3;

/// A download that is done.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) level: Level,
    /// How many bytes an earlier run had left.
    pub(super) resumed_at: u64,
}

/// Why a download has to begin anew, or cannot.
pub(super) enum Setback {
    /// Other bytes stand there by now.
    Replaced,
    /// What came is not what was promised.
    Spoilt(String),
    /// Over.
    Over(Error),
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self::Over(error)
    }
}

/// Downloads exactly this version.
pub(super) async fn fetch(
    context: &Context,
    s3: &S3,
    detail: &Detail,
    target: &Target,
) -> Result<Fetched, Setback> {
    let mut sink = Sink::open(target, detail).await?;
    let resumed_at = sink.at;
    let name = detail.path.rsplit('/').next().unwrap_or_default();
    let name = crate::client::output::printable(name);
    if resumed_at > 0 {
        let (done, size) = (human(resumed_at), human(detail.size));
        context
            .output
            .note(&format!("{name}: goes on at {done} of {size}"));
    }
    let transfer = context
        .output
        .transfer(&name, Some(detail.size), resumed_at);
    let filled = fill(context, s3, detail, &mut sink, &transfer).await;
    drop(transfer);
    match filled {
        Ok(()) => {}
        Err(Setback::Replaced) => {
            if sink.discard()? {
                return Err(Setback::Replaced);
            }
            let what = "the dataset was replaced meanwhile, and half of it is out already";
            return Err(Error::Conflict(what.to_owned()).into());
        }
        Err(setback) => return Err(setback),
    }
    match sink.finish(target)? {
        Ok(level) => Ok(Fetched { level, resumed_at }),
        Err((sink, what)) => match sink.discard()? {
            true => Err(Setback::Spoilt(what)),
            false => Err(Error::Mismatch(what).into()),
        },
    }
}

/// Until every byte is there.
async fn fill(
    context: &Context,
    s3: &S3,
    detail: &Detail,
    sink: &mut Sink,
    transfer: &Transfer,
) -> Result<(), Setback> {
    let patience = Patience::default();
    let mut url = detail.download_url.clone();
    let (mut failures, mut urls) = (0, 0);
    while sink.at < detail.size {
        let before = sink.at;
        let Err(setback) = stream(s3, &url, detail, sink, transfer).await else {
            continue;
        };
        if sink.at > before {
            patience.answered();
            (failures, urls) = (0, 0);
        }
        let Setback::Over(error) = setback else {
            return Err(setback);
        };
        if s3::is_stale(&error) && urls < URLS {
            urls += 1;
            let now = context.api.dataset(&detail.path).await?;
            if now.etag != detail.etag {
                return Err(Setback::Replaced);
            }
            url = now.download_url;
            continue;
        }
        failures += 1;
        match patience.rest(failures, None) {
            Some(rest) if s3::may_pass(&error) => tokio::time::sleep(rest).await,
            _ => return Err(error.into()),
        }
    }
    Ok(())
}

/// One connection's worth of bytes.
async fn stream(
    s3: &S3,
    url: &SignedUrl,
    detail: &Detail,
    sink: &mut Sink,
    transfer: &Transfer,
) -> Result<(), Setback> {
    let mut response = match s3.get(url, &detail.etag, sink.at).await {
        Ok(response) => response,
        // Gone, other bytes, or fewer of them.
        Err(Error::Store {
            status: 404 | 412 | 416,
            ..
        }) => return Err(Setback::Replaced),
        Err(error) => return Err(error.into()),
    };
    // A store that knows no ranges begins at the beginning.
    let mut skip = match begins_at(&response, detail)? {
        Some(begin) if begin == sink.at => 0,
        Some(begin) => {
            let what = format!("the store sent the bytes from {begin} on, not {}", sink.at);
            return Err(Error::Strange(what).into());
        }
        None => sink.at,
    };
    while let Some(bytes) = s3::chunk(&mut response).await? {
        let over = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
        let fresh = bytes.get(over..).unwrap_or_default();
        skip = skip.saturating_sub(u64::try_from(over).unwrap_or(u64::MAX));
        let count = u64::try_from(fresh.len()).unwrap_or(u64::MAX);
        if sink.at.saturating_add(count) > detail.size {
            return Err(Setback::Replaced);
        }
        sink.take(fresh)?;
        transfer.advance(count);
    }
    if sink.at < detail.size {
        let what = "ended its answer too soon".to_owned();
        return Err(Error::Unavailable {
            who: "the store",
            what,
        }
        .into());
    }
    Ok(())
}

/// Where the answer begins; `None` for a whole object. Other bytes than those of this version are
/// noticed here also where the store heeds no `If-Match`.
fn begins_at(response: &Response, detail: &Detail) -> Result<Option<u64>, Setback> {
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if header(ETAG).is_some_and(|etag| etag.trim_matches('"') != detail.etag.trim_matches('"')) {
        return Err(Setback::Replaced);
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
        None => Err(Error::Strange("the store does not say which bytes it sends".into()).into()),
    }
}
