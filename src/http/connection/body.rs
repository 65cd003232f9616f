//! The body of a request as the connection sees it: whether it was read to its end.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::error::PayloadError;
use actix_http::{BoxedPayloadStream, Payload, Request};
use actix_web::web::Bytes;
use futures::Stream;

use super::Connection;

/// The largest number of bytes of an unread body that are read to keep the connection usable. It
/// covers what arrives together with the head, so that a client whose small body was rejected keeps
/// its connection.
const MAX_DRAINED: usize = 64 * 1024;

/// A body that the handler and the connection share.
#[derive(Clone)]
pub struct Body(Rc<Shared>);

struct Shared {
    payload: RefCell<Payload>,
    connection: Connection,
    progress: Cell<Progress>,
}

/// How far a body has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its end has not been read.
    Open,
    /// It has been read to its end.
    Ended,
    /// It cannot be read to its end: its encoding is invalid, or the client has disconnected.
    Failed,
}

impl Body {
    /// Wraps the body of a request. `None` if the request has no body.
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

    /// Reads what has already arrived of the body, and returns how far it has been read.
    pub async fn progress(&self) -> Progress {
        if self.0.progress.get() != Progress::Open {
            return self.0.progress.get();
        }
        // While this task yields, the dispatcher passes on what it has read.
        tokio::task::yield_now().await;
        std::future::poll_fn(|context| {
            let mut read = 0_usize;
            while read < MAX_DRAINED {
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
