//! A whole listing as NDJSON: page by page, in constant memory.
//!
//! The first page is asked for before the answer begins, so that a bad request or a store that is
//! away is a problem with its own status. A fault later on cuts the connection without the final
//! chunk: the client sees a broken transfer, not a short list.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures::{TryStreamExt as _, stream};

use super::wire::Entry;
use crate::domain::page::{LIMITS, Page};
use crate::domain::principal::Principal;
use crate::http::problem::Problem;
use crate::usecases::list_datasets::{self, Listing};
use crate::usecases::{Broker, Error};

const MEDIA_TYPE: &str = "application/x-ndjson";

/// Whether the client asks for NDJSON.
pub fn is_wanted(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains(MEDIA_TYPE))
}

/// Where the stream stands.
struct Walk {
    broker: Arc<Broker>,
    principal: Arc<Principal>,
    listing: Listing,
    /// The page that comes next, where it is here already.
    first: Option<Page<list_datasets::Entry>>,
    done: bool,
}

/// The answer. The client's `limit` does not matter here: pages are as large as the store has
/// them.
pub async fn stream(
    broker: Arc<Broker>,
    principal: Arc<Principal>,
    listing: Listing,
) -> Result<HttpResponse, Problem> {
    let listing = Listing {
        limit: *LIMITS.end(),
        ..listing
    };
    let first = list_datasets::page(&broker, &principal, &listing).await?;
    let walk = Walk {
        broker,
        principal,
        listing,
        first: Some(first),
        done: false,
    };
    let pages = stream::try_unfold(walk, next_page)
        .inspect_err(|error| log::error!("a listing was cut off: {}", words(error)));
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(pages))
}

async fn next_page(mut walk: Walk) -> Result<Option<(Bytes, Walk)>, Error> {
    // A page whose every key belongs to someone else is empty; an empty chunk would end the body.
    while !walk.done {
        let page = match walk.first.take() {
            Some(page) => page,
            None => list_datasets::page(&walk.broker, &walk.principal, &walk.listing).await?,
        };
        walk.done = page.next.is_none();
        walk.listing.cursor = page.next;
        let mut lines = Vec::new();
        for entry in page.items {
            let entry = Entry::new(entry, walk.listing.with_upload);
            serde_json::to_writer(&mut lines, &entry)
                .map_err(|cause| Error::Internal(cause.into()))?;
            lines.push(b'\n');
        }
        if !lines.is_empty() {
            return Ok(Some((lines.into(), walk)));
        }
    }
    Ok(None)
}

fn words(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
