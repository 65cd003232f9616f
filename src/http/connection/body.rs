//! The body of a request, seen from the connection: whether it was read to its end.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::error::PayloadError;
use actix_http::{BoxedPayloadStream, Payload, Request};
use actix_web::web::Bytes;
use futures::Stream;

use super::Connection;

/// What is read of a body for the sake of the connection, in bytes: what came together with the
/// head. A client whose small body was refused keeps its connection.
const AT_HAND: usize = 64 * 1024;

/// A body that its handler and its connection share.
#[derive(Clone)]
pub struct Body(Rc<Shared>);

struct Shared {
    payload: RefCell<Payload>,
    connection: Connection,
    ended: Cell<bool>,
}

impl Body {
    /// Puts itself in front of the body of a request; nothing where it has none.
    pub fn attach(request: &mut Request, connection: &Connection) -> Option<Self> {
        let payload = request.take_payload();
        if matches!(payload, Payload::None) {
            return None;
        }
        let body = Self(Rc::new(Shared {
            payload: RefCell::new(payload),
            connection: connection.clone(),
            ended: Cell::new(false),
        }));
        let stream: BoxedPayloadStream = Box::pin(body.clone());
        *request.payload() = stream.into();
        Some(body)
    }

    /// Whether the body is read to its end, or was with what is here of it already.
    pub async fn ends_here(&self) -> bool {
        if self.0.ended.get() {
            return true;
        }
        // The dispatcher hands over what it has read while we step aside.
        tokio::task::yield_now().await;
        std::future::poll_fn(|context| {
            let mut read = 0_usize;
            while read < AT_HAND {
                match self.poll(context) {
                    Poll::Ready(Some(Ok(chunk))) => read = read.saturating_add(chunk.len()),
                    Poll::Ready(Some(Err(_)) | None) | Poll::Pending => break,
                }
            }
            Poll::Ready(self.0.ended.get())
        })
        .await
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let next = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(context);
        if matches!(next, Poll::Ready(None)) {
            self.0.ended.set(true);
        }
        next
    }
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.connection.send_continue();
        self.poll(context)
    }
}
