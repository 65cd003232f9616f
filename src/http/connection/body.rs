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
    progress: Cell<Progress>,
}

/// How far a body was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Not to its end.
    Open,
    /// To its end.
    Ended,
    /// To where it cannot be read any more: it is badly encoded, or its sender is gone.
    Failed,
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
            progress: Cell::new(Progress::Open),
        }));
        let stream: BoxedPayloadStream = Box::pin(body.clone());
        *request.payload() = stream.into();
        Some(body)
    }

    /// How far the body was read, with what is here of it already.
    pub async fn progress(&self) -> Progress {
        if self.0.progress.get() != Progress::Open {
            return self.0.progress.get();
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
            Poll::Ready(self.0.progress.get())
        })
        .await
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let next = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(context);
        match &next {
            Poll::Ready(None) => self.0.progress.set(Progress::Ended),
            Poll::Ready(Some(Err(_))) => self.0.progress.set(Progress::Failed),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
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
