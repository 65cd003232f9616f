//! Streams a whole list as NDJSON, page by page and in constant memory.
//!
//! The first page is read before the response starts, so that an invalid request or an unavailable
//! dependency is a problem with its own status. A later failure closes the connection without the
//! final chunk, so that the client sees an incomplete transfer and not a short list.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures::{TryStreamExt as _, stream};
use serde::Serialize;

use super::accept::prefers;
use crate::domain::page::{Cursor, Page};
use crate::http::problem::Problem;
use crate::usecases::Error;

const MEDIA_TYPE: &str = "application/x-ndjson";

/// Whether the client prefers NDJSON.
pub fn is_requested(request: &HttpRequest) -> bool {
    prefers(request.headers(), MEDIA_TYPE, "application/json")
}

/// The state of the stream.
struct Pages<T, P> {
    page: P,
    /// The first page, until it is sent.
    first: Option<Page<T>>,
    cursor: Option<Cursor>,
    done: bool,
}

/// Makes the response. It has all pages from `cursor` on, which `page` reads.
///
/// # Errors
/// If the first page cannot be read.
pub async fn stream<T, P, F>(cursor: Option<Cursor>, page: P) -> Result<HttpResponse, Problem>
where
    T: Serialize + 'static,
    P: Fn(Option<Cursor>) -> F + 'static,
    F: Future<Output = Result<Page<T>, Error>> + 'static,
{
    let first = page(cursor).await?;
    Ok(stream_from(first, page))
}

/// Makes the response. It has the first page, and all pages after it, which `page` reads.
pub fn stream_from<T, P, F>(first: Page<T>, page: P) -> HttpResponse
where
    T: Serialize + 'static,
    P: Fn(Option<Cursor>) -> F + 'static,
    F: Future<Output = Result<Page<T>, Error>> + 'static,
{
    let pages = Pages {
        first: Some(first),
        page,
        cursor: None,
        done: false,
    };
    let chunks = stream::try_unfold(pages, next_page).inspect_err(|error| {
        log::error!(
            "an NDJSON list was cut off, because a page of it failed: {}",
            with_cause(error)
        )
    });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(chunks)
}

async fn next_page<T, P, F>(mut pages: Pages<T, P>) -> Result<Option<(Bytes, Pages<T, P>)>, Error>
where
    T: Serialize,
    P: Fn(Option<Cursor>) -> F,
    F: Future<Output = Result<Page<T>, Error>>,
{
    // A page may be empty, if the caller may see none of its entries. An empty chunk would end the
    // body.
    while !pages.done {
        let page = match pages.first.take() {
            Some(page) => page,
            None => (pages.page)(pages.cursor.take()).await?,
        };
        pages.done = page.next.is_none();
        pages.cursor = page.next;
        let mut lines = Vec::new();
        for entry in page.items {
            serde_json::to_writer(&mut lines, &entry)
                .map_err(|cause| Error::Internal(cause.into()))?;
            lines.push(b'\n');
        }
        if !lines.is_empty() {
            return Ok(Some((lines.into(), pages)));
        }
    }
    Ok(None)
}

fn with_cause(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
