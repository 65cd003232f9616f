//! A body of many entries. Each is read by itself, so that a fault of one is told of that one.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::body::{self, Size};
use super::json::{expect_json, parse};
use crate::http::problem::Problem;

/// `{"uploads": […]}`: at least one entry, at most `MOST`.
#[derive(Debug)]
pub struct Batch<T, const MOST: usize> {
    /// The entries in their order; of one that cannot be read, why.
    pub entries: Vec<Result<T, Problem>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    uploads: Vec<&'a RawValue>,
}

impl<T: DeserializeOwned + 'static, const MOST: usize> FromRequest for Batch<T, MOST> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            expect_json(&request)?;
            let body = body::read(&request, payload, Size::Batch).await?;
            Self::parse(&body)
        }
        .boxed_local()
    }
}

impl<T: DeserializeOwned, const MOST: usize> Batch<T, MOST> {
    fn parse(body: &[u8]) -> Result<Self, Problem> {
        let Body { uploads } = parse(body)?;
        let found = uploads.len();
        if !(1..=MOST).contains(&found) {
            let detail = format!("expected 1 to {MOST} entries, found {found}");
            return Err(Problem::field("/uploads", detail));
        }
        let entries = uploads.iter().enumerate();
        let entries = entries.map(|(place, entry)| {
            parse(entry.get().as_bytes())
                .map_err(|problem| problem.within(&format!("/uploads/{place}")))
        });
        Ok(Self {
            entries: entries.collect(),
        })
    }
}
