//! Reads request bodies, with a limit on their size and on the time that they take to arrive.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::{self, Bytes};
use futures::StreamExt as _;

use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;

/// The limits of request bodies.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    bytes: usize,
    batch_bytes: usize,
    time: Duration,
}

/// The size limit that applies to a body.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    /// The limit of most bodies.
    Usual,
    /// The limit of bodies with many entries.
    Batch,
}

impl Limits {
    /// Limits bodies to `bytes` and batches to `batch_bytes`. Both must arrive within half of
    /// `request_time`, so that the other half remains for the handler.
    pub fn new(bytes: usize, batch_bytes: usize, request_time: Duration) -> Self {
        Self {
            bytes,
            batch_bytes,
            time: request_time / 2,
        }
    }

    fn max_bytes(&self, size: Size) -> usize {
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

/// Reads the whole body. If `Content-Length` exceeds the limit, the body is rejected without
/// reading it. A body that is chunked, or longer than its `Content-Length`, is rejected at the
/// first byte over the limit.
pub async fn read(request: &HttpRequest, payload: Payload, size: Size) -> Result<Bytes, Problem> {
    let limits = request
        .app_data::<web::Data<Limits>>()
        .map_or_else(Limits::default, |limits| ***limits);
    let max = limits.max_bytes(size);
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let fits = |length| usize::try_from(length).is_ok_and(|length| length <= max);
    if !declared.is_none_or(fits) {
        return Err(too_large(max));
    }
    match tokio::time::timeout(limits.time, collect(payload, max)).await {
        Ok(body) => body,
        Err(_) => Err(Problem::new(
            Kind::RequestTimeout,
            format!("The body did not arrive within {:?}.", limits.time),
        )),
    }
}

async fn collect(mut payload: Payload, max: usize) -> Result<Bytes, Problem> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| broken())?;
        if body.len() + chunk.len() > max {
            return Err(too_large(max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn too_large(max: usize) -> Problem {
    Problem::new(
        Kind::PayloadTooLarge,
        format!("The body exceeds {max} bytes."),
    )
}

fn broken() -> Problem {
    let detail = "The body is incomplete, or its transfer encoding is invalid.";
    Problem::new(Kind::InvalidJson, detail)
}

#[cfg(test)]
mod tests;
