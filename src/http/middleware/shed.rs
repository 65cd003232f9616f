//! Load is shed before memory grows.
//!
//! A bounded number of requests is under way at once. One past it is told so and when to come
//! again, before its body is read, its key is looked at or a connection to Postgres is asked for.
//! A request counts until the last byte of its answer is taken, so that a stream counts for as long
//! as it lasts; so does the work of one whose client has hung up. What machines ask to learn how we
//! are is always answered.

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
use crate::usecases::Broker;

/// Room for requests, shared by all workers.
#[derive(Clone, Debug)]
pub struct Room {
    most: usize,
    free: Arc<Semaphore>,
}

impl Room {
    /// Room for `most` requests.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            free: Arc::new(Semaphore::new(most)),
        }
    }

    /// A place, where one is free.
    fn enter(&self, broker: &Broker) -> Option<OwnedSemaphorePermit> {
        // Work that outlives its client would escape the count.
        if broker.tasks.use_cases.len() >= self.most {
            return None;
        }
        Arc::clone(&self.free).try_acquire_owned().ok()
    }
}

/// Lets a request in where there is room for it.
pub async fn shed(
    room: web::Data<Room>,
    broker: web::Data<Broker>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if POLLED.contains(&request.path()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let Some(place) = room.enter(&broker) else {
        broker.metrics.http.shed();
        return Ok(request.error_response(Problem::overloaded("The broker")));
    };
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(response.map_body(|_, body| {
        BoxBody::new(Counted {
            body,
            _place: place,
        })
    }))
}

/// A body that holds its request's place until it is sent or dropped.
struct Counted {
    body: BoxBody,
    _place: OwnedSemaphorePermit,
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
