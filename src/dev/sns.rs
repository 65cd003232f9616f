//! An SNS endpoint in this process, for a stack without a cloud account: it takes PublishBatch
//! over the real protocol and shows each notification in the log.
//!
//! The relay does not know the difference. Nothing is kept: a notification that was shown counts
//! as delivered. It listens on loopback only and asks for no signature.
//!
//! Source of the protocol: <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;
use uuid::Uuid;

/// The topic that notifications go to.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:upload-broker-dev";

/// A batch is 256 KiB at most; form encoding makes it up to three times as large.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A bound endpoint.
pub struct Endpoint {
    listener: TcpListener,
}

impl Endpoint {
    /// Binds a free port on loopback.
    ///
    /// # Errors
    /// When there is none.
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => accepted,
            };
            while connections.try_join_next().is_some() {}
            if let Ok((socket, _)) = accepted {
                connections.spawn(async move {
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service_fn(answer));
                    if let Err(error) = connection.await {
                        log::debug!("a connection ended early: {error}");
                    }
                });
            }
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES);
    let (status, text) = match body.collect().await {
        Ok(body) => take(&body.to_bytes()),
        Err(_) => (StatusCode::BAD_REQUEST, fault("RequestEntityTooLarge")),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    Ok(response)
}

/// Shows every entry of a batch and names each as taken.
fn take(body: &[u8]) -> (StatusCode, String) {
    let form: BTreeMap<_, _> = form_urlencoded::parse(body).collect();
    if form.get("Action").map(AsRef::as_ref) != Some("PublishBatch") {
        return (StatusCode::BAD_REQUEST, fault("InvalidAction"));
    }
    let mut taken = String::new();
    for number in 1.. {
        let field = |name: &str| {
            form.get(&*format!(
                "PublishBatchRequestEntries.member.{number}.{name}"
            ))
        };
        let (Some(id), Some(message)) = (field("Id"), field("Message")) else {
            break;
        };
        log::info!("notification: {message}");
        // Writing to a String cannot fail.
        let _ = write!(
            taken,
            "<member><Id>{id}</Id><MessageId>{}</MessageId></member>",
            Uuid::new_v4()
        );
    }
    let answer = format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
         <Successful>{taken}</Successful><Failed/></PublishBatchResult>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></PublishBatchResponse>",
        Uuid::new_v4()
    );
    (StatusCode::OK, answer)
}

fn fault(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>"
    )
}
