//! The outermost layer of the service. It decides whether a connection stays open after a response.

use std::convert::Infallible;

use actix_http::{ConnectionType, Request, Response, Version};
use actix_service::Service;
use actix_web::body::{BodySize, BoxBody, MessageBody};

use super::Connection;
use super::body::{Body, Progress};

/// Passes a request to `app`, and closes the connection after the response if it cannot be reused.
///
/// It cannot be reused if the client or the response says so, if the body of the request was not
/// read to its end, or if the end of the response is marked by the end of the connection: HTTP/1.0
/// has no chunked encoding (RFC 9112, section 6.1).
pub fn respond<S, B>(
    mut request: Request,
    app: &S,
) -> impl Future<Output = Result<Response<BoxBody>, S::Error>> + use<S, B>
where
    S: Service<Request>,
    S::Response: Into<Response<B>>,
    S::Error: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    let connection = request
        .conn_data::<Connection>()
        .cloned()
        .unwrap_or_default();
    let is_last = request.head().connection_type() == ConnectionType::Close;
    let supports_chunks = request.version() >= Version::HTTP_11;
    let body = Body::attach(&mut request, &connection);
    let answer = app.call(request);
    async move {
        let mut response = match answer.await {
            Ok(response) => response.into().map_into_boxed_body(),
            Err(failure) => failure.into(),
        };
        let mut closes = is_last || response.head().connection_type() == ConnectionType::Close;
        if !supports_chunks && response.body().size() == BodySize::Stream {
            response.head_mut().no_chunking(true);
            closes = true;
        }
        let progress = match body {
            Some(body) => body.progress().await,
            None => Progress::Ended,
        };
        if closes || progress != Progress::Ended {
            let head = response.head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        match progress {
            // The dispatcher has given up the connection: it sends what is available now, or
            // nothing.
            Progress::Failed => {}
            Progress::Open => connection.close().await,
            Progress::Ended if closes => connection.close().await,
            Progress::Ended => {}
        }
        Ok(response)
    }
}

/// Accepts a request that expects `100 Continue`, and holds that response back until the body is
/// read.
///
/// # Errors
/// None.
pub async fn expect(request: Request) -> Result<Request, Infallible> {
    if let Some(connection) = request.conn_data::<Connection>() {
        connection.hold_continue().await;
    }
    Ok(request)
}
