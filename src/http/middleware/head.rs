//! HEAD requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// An extension of requests that were sent as HEAD. They are routed as GET.
#[derive(Clone, Copy, Debug)]
pub struct OriginallyHead;

/// The body of a response to HEAD. It has the size of the body for GET, but it is never polled, so
/// that a streamed body does no work.
#[derive(Debug)]
pub struct HeadOnly(pub BodySize);

impl MessageBody for HeadOnly {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}
