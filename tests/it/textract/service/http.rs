//! The protocol: JSON 1.1 of AWS over HTTP.

use std::future::pending;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::state::{Answer, Fault};
use super::{Call, GET, START, Shared};
use crate::support::cloud;
use crate::support::shared;

type Reply = Response<Full<Bytes>>;

pub async fn serve(listener: std::net::TcpListener, service: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).expect("a socket of the runtime");
    while let Ok((client, _)) = listener.accept().await {
        let service = Arc::clone(&service);
        shared().spawn(async move {
            let answer = service_fn(move |request| {
                let service = Arc::clone(&service);
                async move { service.answer(request).await }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(client), answer);
            // A client that is gone needs no answer.
            let _ = connection.await;
        });
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

impl std::error::Error for Closed {}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Reply, Closed> {
        let header = |name: &str| {
            let value = request.headers().get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let target = header("x-amz-target");
        let operation = target
            .strip_prefix("Textract.")
            .unwrap_or_default()
            .to_owned();
        assert_eq!(header("content-type"), "application/x-amz-json-1.1");
        let authorization = header("authorization");
        assert!(
            authorization.contains("/textract/aws4_request"),
            "{authorization}"
        );
        let body = request.into_body().collect().await.map_err(|_| Closed)?;
        let parameters: Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
        self.calls.send_modify(|calls| {
            calls.push(Call {
                operation: operation.clone(),
                parameters: parameters.clone(),
            });
        });
        let fault = {
            let mut state = self.state.lock().unwrap();
            state
                .faults
                .get_mut(&operation)
                .and_then(|faults| faults.pop_front())
        };
        let answer = match fault {
            Some(Fault::Closed) => return Err(Closed),
            Some(Fault::Error(code)) => Err((code, "as the test wants".to_owned())),
            Some(Fault::HoldAnswer) => {
                self.act(&operation, &parameters).await.expect("an answer");
                self.held.send_modify(|held| *held += 1);
                return pending::<Result<Reply, Closed>>().await;
            }
            None => self.act(&operation, &parameters).await,
        };
        Ok(reply(answer))
    }

    async fn act(&self, operation: &str, parameters: &Value) -> Answer {
        match operation {
            START => {
                let object = &parameters["DocumentLocation"]["S3Object"];
                if !exists(object).await {
                    let message = "Unable to get object metadata from S3".to_owned();
                    return Err(("InvalidS3ObjectException", message));
                }
                self.state.lock().unwrap().start(parameters)
            }
            GET => self.state.lock().unwrap().get(parameters),
            other => panic!("there is no operation {other}"),
        }
    }
}

/// Whether an object, and its version, exist. The service reads it itself.
async fn exists(object: &Value) -> bool {
    let text = |name: &str| object[name].as_str().map(str::to_owned);
    let head = cloud::s3(&cloud::endpoint()).head_object();
    let head = head.set_bucket(text("Bucket")).set_key(text("Name"));
    head.set_version_id(text("Version")).send().await.is_ok()
}

fn reply(answer: Answer) -> Reply {
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err((code, message)) => {
            let status = if code == "InternalServerError" {
                500
            } else {
                400
            };
            (status, json!({"__type": code, "Message": message}))
        }
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.1")
        .body(Full::from(body.to_string()))
        .unwrap_or_else(|error| panic!("{error}"))
}
