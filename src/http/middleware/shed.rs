//! Sheds load before memory grows.
//!
//! The number of requests in flight is limited. A request over the limit gets a 503 with
//! `Retry-After` before its body is read, its credential is checked or a database connection is
//! requested. A request counts until the last byte of its response was taken, so that an NDJSON list
//! counts for as long as it lasts. A live stream counts until its head is made, and then among the
//! live streams, which have limits of their own. Work that continues after its client has disconnected counts
//! too. The routes that machines poll are not limited.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::access::POLLED;
use crate::http::problem::Problem;
use crate::http::sse::HasOwnPlace;
use crate::usecases::Broker;

/// The limit of requests in flight, shared by all workers.
#[derive(Clone, Debug)]
pub struct InFlightLimit {
    max: usize,
    free: Arc<Semaphore>,
}

impl InFlightLimit {
    /// Allows `max` requests in flight.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            free: Arc::new(Semaphore::new(max)),
        }
    }

    /// Takes a permit for a request, if one is free.
    fn try_acquire(&self, broker: &Broker) -> Option<OwnedSemaphorePermit> {
        // Work that has outlived its client holds no permit, but it counts.
        if broker.tasks.use_cases.len() >= self.max {
            return None;
        }
        Arc::clone(&self.free).try_acquire_owned().ok()
    }
}

/// Rejects a request if too many are in flight.
pub async fn shed_load(
    limit: web::Data<InFlightLimit>,
    broker: web::Data<Broker>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if POLLED.contains(&request.path()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let Some(permit) = limit.try_acquire(&broker) else {
        broker.metrics.http.shed();
        return Ok(request.error_response(Problem::overloaded("The broker")));
    };
    let response = next.call(request).await?.map_into_boxed_body();
    if response.response().extensions().contains::<HasOwnPlace>() {
        return Ok(response);
    }
    Ok(response.map_body(|_, body| {
        BoxBody::new(Counted {
            body,
            _permit: permit,
        })
    }))
}

/// A body that holds the permit of its request until it is sent or dropped.
struct Counted {
    body: BoxBody,
    _permit: OwnedSemaphorePermit,
}

impl MessageBody for Counted {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
