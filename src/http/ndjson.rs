//! A whole list as NDJSON: page by page, in constant memory.
//!
//! The first page is asked for before the answer begins, so that a bad request or a dependency that
//! is away is a problem with its own status. A fault later on cuts the connection without the final
//! chunk: the client sees a broken transfer, not a short list.

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

/// Whether the client asks for NDJSON.
pub fn is_wanted(request: &HttpRequest) -> bool {
    prefers(request.headers(), MEDIA_TYPE, "application/json")
}

/// Where the stream stands.
struct Walk<T, P> {
    page: P,
    /// The page that comes next, where it is here already.
    first: Option<Page<T>>,
    cursor: Option<Cursor>,
    done: bool,
}

/// The answer: every page from `cursor` on, as `page` finds them.
pub async fn stream<T, P, F>(cursor: Option<Cursor>, page: P) -> Result<HttpResponse, Problem>
where
    T: Serialize + 'static,
    P: Fn(Option<Cursor>) -> F + 'static,
    F: Future<Output = Result<Page<T>, Error>> + 'static,
{
    let walk = Walk {
        first: Some(page(cursor).await?),
        page,
        cursor: None,
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

async fn next_page<T, P, F>(mut walk: Walk<T, P>) -> Result<Option<(Bytes, Walk<T, P>)>, Error>
where
    T: Serialize,
    P: Fn(Option<Cursor>) -> F,
    F: Future<Output = Result<Page<T>, Error>>,
{
    // A page whose every entry belongs to someone else is empty; an empty chunk would end the body.
    while !walk.done {
        let page = match walk.first.take() {
            Some(page) => page,
            None => (walk.page)(walk.cursor.take()).await?,
        };
        walk.done = page.next.is_none();
        walk.cursor = page.next;
        let mut lines = Vec::new();
        for entry in page.items {
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
