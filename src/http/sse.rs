//! Server-Sent Events: the text format, and a response that is a stream of them.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures::Stream;

use super::accept::prefers;
use crate::http::problem::Problem;

/// The media type of a stream.
pub const MEDIA_TYPE: &str = "text/event-stream";
/// The header in which a client names the last event that it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// Marks a response, as an extension, whose body has a place of its own: it does not count as a
/// request in flight once its head is sent.
#[derive(Clone, Copy, Debug)]
pub struct HasOwnPlace;

/// Whether the client prefers a stream to JSON.
pub fn is_requested(request: &HttpRequest) -> bool {
    prefers(request.headers(), MEDIA_TYPE, "application/json")
}

/// The id of the last event that the client has. `None` if it has none, or an empty one.
///
/// # Errors
/// `invalid-request` if it is no text.
pub fn last_event_id(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let text = value.to_str();
    let text = text.map_err(|_| Problem::field("/last-event-id", "is not ASCII"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Makes the response. Caches must not store or change it, and nginx must not buffer it.
pub fn respond(chunks: impl Stream<Item = Result<Bytes, Infallible>> + 'static) -> HttpResponse {
    let mut response = HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, MEDIA_TYPE))
        .insert_header((header::VARY, "Accept"))
        .insert_header((header::CACHE_CONTROL, "no-store, no-transform"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(chunks);
    response.extensions_mut().insert(HasOwnPlace);
    response
}

/// The text of some events.
#[derive(Debug, Default)]
pub struct Chunk(String);

impl Chunk {
    /// Sets how long the client waits before it connects again.
    pub fn retry(mut self, delay: Duration) -> Self {
        self.line("retry", &delay.as_millis().to_string());
        self
    }

    /// A comment, which clients ignore. It keeps proxies from closing a connection without traffic.
    pub fn comment(mut self, text: &str) -> Self {
        self.line("", text);
        self
    }

    /// Sets the id that the client sends as `Last-Event-ID` when it connects again, without an event.
    pub fn position(mut self, id: &str) -> Self {
        self.line("id", id);
        self.0.push('\n');
        self
    }

    /// An event. Without a `name`, it is a `message`. None of the arguments may have a line break;
    /// JSON has none.
    pub fn event(mut self, id: &str, name: Option<&str>, data: &str) -> Self {
        self.line("id", id);
        if let Some(name) = name {
            self.line("event", name);
        }
        self.line("data", data);
        self.0.push('\n');
        self
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn line(&mut self, field: &str, value: &str) {
        self.0.push_str(field);
        self.0.push_str(": ");
        self.0.push_str(value);
        self.0.push('\n');
    }
}

impl From<Chunk> for Bytes {
    fn from(chunk: Chunk) -> Self {
        chunk.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_has_the_lines_of_the_format() {
        let chunk = Chunk::default()
            .retry(Duration::from_secs(2))
            .position("a")
            .comment("ping")
            .event("b", None, "{}")
            .event("c", Some("end"), "1");
        assert_eq!(
            chunk.0,
            "retry: 2000\nid: a\n\n: ping\nid: b\ndata: {}\n\nid: c\nevent: end\ndata: 1\n\n"
        );
        assert!(!chunk.is_empty());
        assert!(Chunk::default().is_empty());
    }
}
