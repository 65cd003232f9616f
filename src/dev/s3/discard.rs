//! Discards the unread rest of a request body before the response is sent.
//!
//! If the server closes a socket with unread bytes, the connection is reset, and a client that is still
//! sending sees the reset instead of the 403 or 412. So the part of a body that s3s did not read is read and
//! discarded before the response is sent, up to a limit of bytes and of time.

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
/// A client that sends nothing for this long waits for the response, or has disappeared.
const MAX_IDLE: Duration = Duration::from_millis(500);

/// A request body that is returned through a channel if it is dropped before its end.
pub(super) struct ReturnableBody {
    body: Option<Incoming>,
    return_to: Option<oneshot::Sender<Incoming>>,
}

/// Receives the body if it was not read to its end.
pub(super) struct UnreadBody {
    returned: oneshot::Receiver<Incoming>,
    /// Whether the client waits for `100 Continue`. If so, it has sent nothing, and must not be asked to.
    expects_continue: bool,
}

/// Splits a request into the request for the service and the receiver of the unread body.
pub(super) fn split_body(req: Request<Incoming>) -> (Request<ReturnableBody>, UnreadBody) {
    let (return_to, returned) = oneshot::channel();
    let expects_continue = req.headers().contains_key(EXPECT);
    let req = req.map(|body| ReturnableBody {
        body: Some(body),
        return_to: Some(return_to),
    });
    let unread = UnreadBody {
        returned,
        expects_continue,
    };
    (req, unread)
}

impl UnreadBody {
    /// Reads and discards the rest of the body, after the service has processed the request.
    pub(super) async fn discard(mut self) {
        let Ok(mut body) = self.returned.try_recv() else {
            return;
        };
        if self.expects_continue {
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
            log::debug!(target: "upload_broker::dev::s3", "stopped reading the rest of a body: it takes too long");
        }
    }
}

impl Body for ReturnableBody {
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

impl Drop for ReturnableBody {
    fn drop(&mut self) {
        if let (Some(body), Some(return_to)) = (self.body.take(), self.return_to.take())
            && !body.is_end_stream()
        {
            // The receiver does not exist any more if the connection was closed.
            let _closed = return_to.send(body);
        }
    }
}
