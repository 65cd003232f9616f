//! An SNS endpoint in this process, which needs no cloud account. It accepts PublishBatch over the real
//! protocol and logs each notification.
//!
//! The relay uses it like SNS. Nothing is stored: a logged notification counts as delivered. The endpoint
//! listens on loopback only and verifies no signature.
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

/// The topic that notifications are published to.
pub const TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:upload-broker-dev";

/// The largest request body. A batch has at most 256 KiB, and form encoding can triple its size.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// An endpoint that is bound to a port.
pub struct Endpoint {
    listener: TcpListener,
}

impl Endpoint {
    /// Binds a free port on loopback.
    ///
    /// # Errors
    /// No port is free.
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { listener })
    }

    /// Returns the address that the endpoint listens on.
    ///
    /// # Errors
    /// The operating system does not report the address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Responds to requests until `stop`.
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
                        .serve_connection(TokioIo::new(socket), service_fn(respond));
                    if let Err(error) = connection.await {
                        log::debug!("a connection to the SNS endpoint failed: {error}");
                    }
                });
            }
        }
    }
}

async fn respond(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = Limited::new(request.into_body(), MAX_BODY_BYTES);
    let (status, text) = match body.collect().await {
        Ok(body) => publish_batch(&body.to_bytes()),
        Err(_) => (
            StatusCode::BAD_REQUEST,
            error_response("RequestEntityTooLarge"),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    Ok(response)
}

/// Logs every entry of a batch, and reports each as published.
fn publish_batch(body: &[u8]) -> (StatusCode, String) {
    let form: BTreeMap<_, _> = form_urlencoded::parse(body).collect();
    if form.get("Action").map(AsRef::as_ref) != Some("PublishBatch") {
        return (StatusCode::BAD_REQUEST, error_response("InvalidAction"));
    }
    let mut successful = String::new();
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
            successful,
            "<member><Id>{id}</Id><MessageId>{}</MessageId></member>",
            Uuid::new_v4()
        );
    }
    let response = format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
         <Successful>{successful}</Successful><Failed/></PublishBatchResult>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></PublishBatchResponse>",
        Uuid::new_v4()
    );
    (StatusCode::OK, response)
}

fn error_response(code: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>"
    )
}
