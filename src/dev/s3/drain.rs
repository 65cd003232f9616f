//! Lets a refusal reach a client that is still sending.
//!
//! Closing a socket with unread bytes resets the connection, and the client sees the reset instead
//! of the 403 or 412. So what s3s left unread of a body is read and thrown away before the answer
//! goes out: a bounded amount, for a bounded time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::sync::oneshot;
use tokio::time::timeout;

const MAX_BYTES: u64 = 256 * 1024 * 1024;
const MAX_TIME: Duration = Duration::from_secs(10);
/// A client that sends nothing for this long waits for us, or is gone.
const MAX_IDLE: Duration = Duration::from_millis(500);

/// A request's body that gives itself back when it is dropped before its end.
pub(super) struct Lent {
    body: Option<Incoming>,
    home: Option<oneshot::Sender<Incoming>>,
}

/// Where an unread body arrives.
pub(super) struct Unread {
    home: oneshot::Receiver<Incoming>,
    /// The client waits for `100 Continue`: it has sent nothing, and must not be asked to.
    waiting: bool,
}

/// Splits a request's body into what the service reads and what it may leave.
pub(super) fn lend(req: Request<Incoming>) -> (Request<Lent>, Unread) {
    let (sender, home) = oneshot::channel();
    let waiting = req.headers().contains_key(EXPECT);
    let req = req.map(|body| Lent {
        body: Some(body),
        home: Some(sender),
    });
    (req, Unread { home, waiting })
}

impl Unread {
    /// Reads what was left, once the service is done with the request.
    pub(super) async fn discard(mut self) {
        let Ok(mut body) = self.home.try_recv() else {
            return;
        };
        if self.waiting {
            return;
        }
        let rest = async {
            let mut read = 0_u64;
            while let Ok(Some(Ok(frame))) = timeout(MAX_IDLE, body.frame()).await {
                let size = frame.data_ref().map_or(0, Bytes::len);
                read = read.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
                if read > MAX_BYTES {
                    return;
                }
            }
        };
        if timeout(MAX_TIME, rest).await.is_err() {
            log::debug!(target: "upload_broker::dev::s3", "gave up on the rest of a refused body");
        }
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match self.body.as_mut() {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(home)) = (self.body.take(), self.home.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it when the connection is gone.
            let _gone = home.send(body);
        }
    }
}
