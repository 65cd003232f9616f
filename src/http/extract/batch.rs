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

/// What a body may hold many of.
pub trait Entry: DeserializeOwned + 'static {
    /// The member of the body that has the entries.
    const MEMBER: &'static str;

    /// How many there may be.
    const MOST: usize;

    /// The body, with its entries unread.
    type Body<'a>: Deserialize<'a> + Into<Vec<&'a RawValue>>;
}

/// An object with one array: at least one entry, at most [`Entry::MOST`].
#[derive(Debug)]
pub struct Batch<T> {
    /// The entries in their order; of one that cannot be read, why.
    pub entries: Vec<Result<T, Problem>>,
}

impl<T: Entry> FromRequest for Batch<T> {
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

impl<T: Entry> Batch<T> {
    fn parse(body: &[u8]) -> Result<Self, Problem> {
        let member = format!("/{}", T::MEMBER);
        let entries: Vec<&RawValue> = parse::<T::Body<'_>>(body)?.into();
        let found = entries.len();
        if !(1..=T::MOST).contains(&found) {
            let detail = format!("expected 1 to {} entries, found {found}", T::MOST);
            return Err(Problem::field(&member, detail));
        }
        let entries = entries.iter().enumerate();
        let entries = entries.map(|(place, entry)| {
            parse(entry.get().as_bytes())
                .map_err(|problem| problem.within(&format!("{member}/{place}")))
        });
        Ok(Self {
            entries: entries.collect(),
        })
    }

    /// The entries that can be read, with a gap for every other one, and the problems of those in
    /// their order.
    pub fn split(self) -> (Vec<Option<T>>, Vec<Problem>) {
        let mut unread = Vec::new();
        let read = self.entries.into_iter().map(|entry| match entry {
            Ok(entry) => Some(entry),
            Err(problem) => {
                unread.push(problem);
                None
            }
        });
        (read.collect(), unread)
    }
}
