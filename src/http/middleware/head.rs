//! Answers to HEAD.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;

/// Left with a request that came as HEAD: routes see it as GET.
#[derive(Clone, Copy, Debug)]
pub struct CameAsHead;

/// The body of an answer to HEAD: as long as the one that GET gets, but never read, so that a
/// stream behind it does no work.
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
