//! A proxy in front of an S3 store that rewrites responses: status, code, headers and body. It simulates
//! stores that are not available to the tests.
//!
//! Requests are forwarded unchanged, with the host that was signed. A rule inspects each request and
//! determines how its response is rewritten.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::shared;

/// The parts of a request that rules can inspect.
#[derive(Clone, Debug)]
pub struct ProxiedRequest {
    pub method: Method,
    /// The path and query, as received.
    pub target: String,
    pub headers: HeaderMap,
}

impl ProxiedRequest {
    /// Returns whether the request has this method, and this text in its path or query.
    pub fn is(&self, method: &str, text: &str) -> bool {
        self.method == method && self.target.contains(text)
    }

    /// Returns whether the request has this header.
    pub fn has(&self, header: &str) -> bool {
        self.headers.contains_key(header)
    }
}

/// A response that can be rewritten.
#[derive(Clone, Debug)]
pub struct ProxiedResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl ProxiedResponse {
    /// Returns a response with an S3 error document.
    pub fn error(status: u16, code: &str) -> ProxiedResponse {
        let document = format!("<Error><Code>{code}</Code><Message>secret words</Message></Error>");
        ProxiedResponse::xml(status, document)
    }

    /// Returns a response with an XML document.
    pub fn xml(status: u16, document: impl Into<Bytes>) -> ProxiedResponse {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/xml".parse().expect("a value"));
        ProxiedResponse {
            status,
            headers,
            body: document.into(),
        }
    }
}

/// How the response to a request is rewritten.
pub enum Rewrite {
    /// The request is not forwarded, and this response is returned.
    Replace(ProxiedResponse),
    /// The response of the store is modified.
    Modify(fn(&mut ProxiedResponse)),
}

type Rule = dyn Fn(&ProxiedRequest) -> Option<Rewrite> + Send + Sync;

/// A proxy on its own port. It stops when this value is dropped.
pub struct RewritingProxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

struct Shared {
    upstream: SocketAddr,
    rule: RwLock<Arc<Rule>>,
    requests: Mutex<Vec<ProxiedRequest>>,
    client: reqwest::Client,
}

impl RewritingProxy {
    /// Starts a proxy in front of the store at `upstream`, without a rule.
    pub async fn new(upstream: SocketAddr) -> RewritingProxy {
        let _inside = shared().enter();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("an HTTP client");
        let proxy = Arc::new(Shared {
            upstream,
            rule: RwLock::new(Arc::new(|_: &ProxiedRequest| None)),
            requests: Mutex::default(),
            client,
        });
        let stop = CancellationToken::new();
        let served = Arc::clone(&proxy);
        let accept = async move {
            while let Ok((client, _)) = listener.accept().await {
                shared().spawn(serve(client, Arc::clone(&served)));
            }
        };
        shared().spawn(stop.clone().run_until_cancelled_owned(accept));
        RewritingProxy {
            addr,
            shared: proxy,
            _stop: stop.drop_guard(),
        }
    }

    /// Returns the HTTP endpoint of the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Replaces the rule.
    pub fn set_rule(
        &self,
        rule: impl Fn(&ProxiedRequest) -> Option<Rewrite> + Send + Sync + 'static,
    ) {
        *self.shared.rule.write().unwrap() = Arc::new(rule);
    }

    /// Returns all requests received so far.
    pub fn requests(&self) -> Vec<ProxiedRequest> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Returns the number of requests received so far that match.
    pub fn count(&self, matches: impl Fn(&ProxiedRequest) -> bool) -> usize {
        self.requests()
            .iter()
            .filter(|request| matches(request))
            .count()
    }
}

/// Serves one connection. A broken connection is not an error of the proxy.
async fn serve(client: TcpStream, proxy: Arc<Shared>) {
    let answer = service_fn(move |request| {
        let proxy = Arc::clone(&proxy);
        async move { Ok::<_, Infallible>(proxy.answer(request).await) }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(client), answer);
    let _ = connection.await;
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes());
        let asked = ProxiedRequest {
            target: head.uri.to_string(),
            method: head.method,
            headers: head.headers,
        };
        self.requests.lock().unwrap().push(asked.clone());
        let rule = Arc::clone(&self.rule.read().unwrap());
        let answer = match rule(&asked) {
            Some(Rewrite::Replace(answer)) => answer,
            Some(Rewrite::Modify(change)) => {
                let mut answer = self.forward(&asked, body.unwrap_or_default()).await;
                change(&mut answer);
                answer
            }
            None => self.forward(&asked, body.unwrap_or_default()).await,
        };
        let mut response = Response::new(match asked.method {
            Method::HEAD => Full::default(),
            _ => Full::new(answer.body),
        });
        *response.status_mut() = StatusCode::from_u16(answer.status).expect("a status");
        *response.headers_mut() = answer.headers;
        response
    }

    async fn forward(&self, asked: &ProxiedRequest, body: Bytes) -> ProxiedResponse {
        let url = format!("http://{}{}", self.upstream, asked.target);
        let mut headers = asked.headers.clone();
        headers.remove(CONNECTION);
        headers.remove(TRANSFER_ENCODING);
        let sent = self.client.request(asked.method.clone(), url);
        let answer = sent.headers(headers).body(body).send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{asked:?}: {error}"));
        let status = answer.status().as_u16();
        let mut headers = answer.headers().clone();
        headers.remove(CONNECTION);
        headers.remove(TRANSFER_ENCODING);
        if asked.method != Method::HEAD {
            headers.remove(CONTENT_LENGTH);
        }
        let body = answer.bytes().await.unwrap_or_default();
        ProxiedResponse {
            status,
            headers,
            body,
        }
    }
}
