//! Reading a request body: bounded in size and in time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use futures::StreamExt as _;

use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;

/// How much and how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    bytes: usize,
    batch_bytes: usize,
    time: Duration,
}

/// Which of the limits a body has to keep.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// That of most bodies.
    Usual,
    /// That of many entries at once.
    Batch,
}

impl Limits {
    /// Bodies of at most `bytes`, batches of at most `batch_bytes`, which arrive in half the time that a request may take: the
    /// rest is for the work.
    pub fn new(bytes: usize, batch_bytes: usize, request_time: Duration) -> Self {
        Self {
            bytes,
            batch_bytes,
            time: request_time / 2,
        }
    }

    fn most(&self, size: Size) -> usize {
        match size {
            Size::Usual => self.bytes,
            Size::Batch => self.batch_bytes,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(64 * 1024, 4 * 1024 * 1024, Duration::from_secs(30))
    }
}

/// The whole body. A `Content-Length` over the limit is refused unread; a body that lies about
/// its length, or is chunked, is refused at the first byte over the limit.
pub async fn read(request: &HttpRequest, payload: Payload, size: Size) -> Result<Bytes, Problem> {
    let limits = request
        .app_data::<web::Data<Limits>>()
        .map_or_else(Limits::default, |limits| ***limits);
    let most = limits.most(size);
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let fits = |length| usize::try_from(length).is_ok_and(|length| length <= most);
    if !declared.is_none_or(fits) {
        return Err(too_large(most));
    }
    match tokio::time::timeout(limits.time, collect(payload, most)).await {
        Ok(body) => body,
        Err(_) => Err(Problem::new(
            Kind::RequestTimeout,
            format!("The body did not arrive within {:?}.", limits.time),
        )),
    }
}

async fn collect(mut payload: Payload, most: usize) -> Result<Bytes, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| broken())?;
        if body.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn too_large(most: usize) -> Problem {
    Problem::new(
        Kind::PayloadTooLarge,
        format!("The body is over {most} bytes."),
    )
}

fn broken() -> Problem {
    let detail = "The body ended before its end, or is badly encoded.";
    Problem::new(Kind::InvalidJson, detail)
}

#[cfg(test)]
mod tests;
