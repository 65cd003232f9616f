//! Closes connections when the process stops.
//!
//! A response during the shutdown closes its connection, so that the client opens a new one to
//! another replica, instead of sending its next request to a connection that is being closed.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::{Error, web};

use crate::lifecycle::Shutdown;

/// Runs the request, and closes the connection after its response if the process is stopping.
pub async fn close_on_shutdown<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let shutdown = request.app_data::<web::Data<Shutdown>>().cloned();
    let mut response = next.call(request).await?;
    if shutdown.is_some_and(|shutdown| shutdown.is_stopping()) {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
