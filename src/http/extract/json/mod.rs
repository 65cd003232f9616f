//! JSON bodies, with a pointer to what is wrong.

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::{Path, Segment};

use super::body::{self, Size};
use crate::domain::refusal::{Code, FieldError, Refusal};
use crate::http::problem::Problem;
use crate::http::problem::catalogue::Kind;

/// A JSON body.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A JSON body that may be left out; an empty one and `null` are the default.
#[derive(Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            expect_json(&request)?;
            let body = body::read(&request, payload, Size::Usual).await?;
            parse(&body).map(Self)
        }
        .boxed_local()
    }
}

/// The same, where many entries may come at once.
#[derive(Debug)]
pub struct OptionalLargeJson<T>(pub T);

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = optional(request.clone(), payload.take(), Size::Usual);
        body.map(|body| body.map(Self)).boxed_local()
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalLargeJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = optional(request.clone(), payload.take(), Size::Batch);
        body.map(|body| body.map(Self)).boxed_local()
    }
}

async fn optional<T: DeserializeOwned + Default>(
    request: HttpRequest,
    payload: Payload,
    size: Size,
) -> Result<T, Problem> {
    let body = body::read(&request, payload, size).await?;
    if body.is_empty() {
        return Ok(T::default());
    }
    expect_json(&request)?;
    let body: Option<T> = parse(&body)?;
    Ok(body.unwrap_or_default())
}

/// A body without a type is taken for JSON; one with another type is not. Case does not count, nor
/// do parameters (RFC 9110, sections 8.3.1 and 8.4.1).
pub(super) fn expect_json(request: &HttpRequest) -> Result<(), Problem> {
    let headers = request.headers();
    let typed = headers.contains_key(header::CONTENT_TYPE);
    let is_json = (request.content_type()).eq_ignore_ascii_case("application/json");
    let is_plain = |line: &header::HeaderValue| {
        (line.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
    };
    let encoded = !headers.get_all(header::CONTENT_ENCODING).all(is_plain);
    if (typed && !is_json) || encoded {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "Send Content-Type: application/json, without a Content-Encoding.",
        ));
    }
    Ok(())
}

/// Reads JSON into `T`.
///
/// Broken JSON is `invalid-json` with the line and the column; a field that is wrong, missing or
/// unknown is `invalid-request` with its pointer.
pub fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    // serde would take an array for a struct, field by field.
    if body.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| broken(&error))?;
        return Err(not_an_object());
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().clone();
        explain(&path, &error.into_inner())
    })?;
    json.end().map_err(|error| broken(&error))?;
    Ok(value)
}

fn explain(path: &Path, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return broken(error);
    }
    let mut pointer = pointer(path);
    let detail = in_plain_words(error);
    // For a missing or a doubled field, serde's path ends at the object: the name is in the text.
    for start in ["missing field `", "duplicate field `", "unknown field `"] {
        let name = detail
            .strip_prefix(start)
            .and_then(|rest| rest.split('`').next());
        if let Some(name) = name {
            let last = format!("/{}", escape(name));
            if !pointer.ends_with(&last) {
                pointer.push_str(&last);
            }
        }
    }
    if pointer.is_empty() {
        return not_an_object();
    }
    Problem::field(&pointer, detail)
}

fn not_an_object() -> Problem {
    let detail = "The body must be a JSON object.";
    Refusal {
        errors: vec![FieldError::new("", detail)],
        ..Refusal::new(Code::InvalidRequest, detail)
    }
    .into()
}

fn broken(error: &serde_json::Error) -> Problem {
    Problem::new(Kind::InvalidJson, format!("The body is not JSON: {error}."))
}

/// serde_json's words, less the position (the pointer is better) and the names of Rust's types.
fn in_plain_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    match text.rsplit_once(", expected ") {
        Some((found, "u64" | "u32")) => format!("{found}, expected a whole number, not negative"),
        Some((found, "a sequence")) => format!("{found}, expected an array"),
        Some((found, kind)) if kind == "a map" || kind.starts_with("struct ") => {
            format!("{found}, expected an object")
        }
        _ => text.to_owned(),
    }
}

/// RFC 6901. The whole document is the empty pointer.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { variant } => pointer.push_str(&format!("/{}", escape(variant))),
            Segment::Unknown => {}
        }
    }
    pointer
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
