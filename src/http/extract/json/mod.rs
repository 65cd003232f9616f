//! JSON bodies. A problem has a pointer to the invalid value.

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

/// A JSON body that may be omitted. An empty body and `null` are the default value.
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

/// The same as [`OptionalJson`] with the larger size limit of bodies with many entries.
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

/// Rejects a body with a `Content-Type` other than JSON, or with a `Content-Encoding`. A body
/// without a `Content-Type` is parsed as JSON. Case and parameters do not matter (RFC 9110,
/// sections 8.3.1 and 8.4.1).
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

/// Parses JSON into `T`.
///
/// # Errors
/// `invalid-json` with line and column if the text is not JSON; `invalid-request` with a pointer if
/// a field is invalid, missing or unknown.
pub fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    // serde would accept an array in place of a struct, one element per field.
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
    let detail = without_rust_terms(error);
    // For a missing or duplicate field, the path of serde ends at the object. The name is in the
    // message.
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
    Problem::new(
        Kind::InvalidJson,
        format!("The body is not valid JSON: {error}."),
    )
}

/// The message of serde_json without the position, which the pointer replaces, and without the
/// names of Rust types.
fn without_rust_terms(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&position).unwrap_or(&text);
    match text.rsplit_once(", expected ") {
        Some((found, "u64" | "u32")) => format!("{found}, expected a non-negative integer"),
        Some((found, "a sequence")) => format!("{found}, expected an array"),
        Some((found, kind)) if kind == "a map" || kind.starts_with("struct ") => {
            format!("{found}, expected an object")
        }
        _ => text.to_owned(),
    }
}

/// Makes a JSON pointer (RFC 6901). The pointer of the whole document is empty.
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
