//! A body with many entries. Each entry is parsed separately, so that an invalid one gets a problem
//! of its own and does not affect the others.

use std::fmt;
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::body::{self, Size};
use super::json::{expect_json, parse};
use crate::http::problem::Problem;

/// An entry of a batch.
pub trait Entry: DeserializeOwned + 'static {
    /// The name of the array in the body.
    const MEMBER: &'static str;

    /// The largest number of entries in one body.
    const MAX_ENTRIES: usize;
}

/// A JSON object with one array, [`Entry::MEMBER`], of 1 to [`Entry::MAX_ENTRIES`] entries.
#[derive(Debug)]
pub struct Batch<T> {
    /// The entries in the order of the body. An entry that cannot be parsed is its problem.
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
        let entries = parse::<Unparsed<'_, T>>(body)?.entries;
        let found = entries.len();
        if !(1..=T::MAX_ENTRIES).contains(&found) {
            let detail = format!("expected 1 to {} entries, found {found}", T::MAX_ENTRIES);
            return Err(Problem::field(&member, detail));
        }
        let entries = entries.iter().enumerate();
        let entries = entries.map(|(index, entry)| {
            parse(entry.get().as_bytes())
                .map_err(|problem| problem.within(&format!("{member}/{index}")))
        });
        Ok(Self {
            entries: entries.collect(),
        })
    }

    /// Splits the valid entries from the problems of the others. The first list has `None` in place
    /// of every invalid entry; the second has one problem for each `None`, in the same order.
    pub fn split(self) -> (Vec<Option<T>>, Vec<Problem>) {
        let mut problems = Vec::new();
        let valid = self.entries.into_iter().map(|entry| match entry {
            Ok(entry) => Some(entry),
            Err(problem) => {
                problems.push(problem);
                None
            }
        });
        (valid.collect(), problems)
    }
}

/// The body with its entries as raw JSON.
struct Unparsed<'a, T> {
    entries: Vec<&'a RawValue>,
    entry: PhantomData<T>,
}

impl<T: Entry> Unparsed<'_, T> {
    const MEMBERS: &'static [&'static str] = &[T::MEMBER];
}

/// What serde derives for a struct with one field, except that the name of the field depends on
/// `T`.
impl<'de, T: Entry> Deserialize<'de> for Unparsed<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Entry> Visitor<'de> for Members<T> {
            type Value = Unparsed<'de, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("struct Unparsed")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = None;
                while let Some(name) = map.next_key::<String>()? {
                    if name != T::MEMBER {
                        return Err(A::Error::unknown_field(&name, Unparsed::<T>::MEMBERS));
                    }
                    if entries.is_some() {
                        return Err(A::Error::duplicate_field(T::MEMBER));
                    }
                    entries = Some(map.next_value()?);
                }
                Ok(Unparsed {
                    entries: entries.ok_or_else(|| A::Error::missing_field(T::MEMBER))?,
                    entry: PhantomData,
                })
            }
        }

        deserializer.deserialize_struct("Unparsed", Self::MEMBERS, Members(PhantomData))
    }
}
