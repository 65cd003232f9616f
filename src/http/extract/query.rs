//! Query parameters. An unknown or repeated parameter is an error, because the response would be
//! wrong if a filter were silently ignored.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::domain::page::{Cursor, DEFAULT_LIMIT, LIMITS};
use crate::http::problem::Problem;

/// The query parameters of a route.
pub trait FromParams: Sized {
    /// The names of all parameters of the route.
    const NAMES: &'static [&'static str];

    /// Converts the parameters, which are all in [`NAMES`](Self::NAMES).
    ///
    /// # Errors
    /// `invalid-request` with the name of the invalid parameter.
    fn from_params(params: &Params) -> Result<Self, Problem>;
}

/// The query parameters of a request, converted into `T`.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: FromParams> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let params = Params::parse(request.query_string(), T::NAMES);
        ready(params.and_then(|params| T::from_params(&params)).map(Self))
    }
}

/// The decoded parameters, in the order of the query string.
#[derive(Clone, Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes a query string (application/x-www-form-urlencoded).
    ///
    /// # Errors
    /// `invalid-request` for a parameter that is not in `names`, is not UTF-8, or has a control
    /// character.
    pub fn parse(raw: &str, names: &[&str]) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).unwrap_or_default();
            if !names.contains(&name.as_str()) {
                let known = if names.is_empty() {
                    "this route has no parameters".to_owned()
                } else {
                    format!("the parameters of this route are {}", names.join(", "))
                };
                let name: String = name.chars().take(64).collect();
                return Err(Problem::field(
                    &format!("/{name}"),
                    format!("is not a parameter of this route; {known}"),
                ));
            }
            let value =
                decode(value).ok_or_else(|| Problem::field(&format!("/{name}"), "is not UTF-8"))?;
            if value.chars().any(char::is_control) {
                let detail = "has a control character";
                return Err(Problem::field(&format!("/{name}"), detail));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// All values of a parameter that may be repeated.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that must not be repeated.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut all = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let first = all.next();
        if all.next().is_some() {
            return Err(Problem::field(&format!("/{name}"), "must not be repeated"));
        }
        Ok(first)
    }

    /// The value of a boolean parameter. `None` if it is absent.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.one(name)? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Problem::field(&format!("/{name}"), "must be true or false")),
        }
    }

    /// The value of a parameter that is a time with a time zone (RFC 3339). `None` if it is absent.
    pub fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| {
            let detail = "must be a time with a time zone, such as 2026-11-21T08:00:00Z";
            Problem::field(&format!("/{name}"), detail)
        })?;
        Ok(Some(time.to_utc()))
    }

    /// The value of a parameter that is the id of an upload. `None` if it is absent.
    pub fn id(&self, name: &str) -> Result<Option<Uuid>, Problem> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        let id = Uuid::try_parse(text).map_err(|_| {
            Problem::field(&format!("/{name}"), "must be the id of an upload (a UUID)")
        })?;
        Ok(Some(id))
    }

    /// The parameter `limit`: 1 to 1000, and 100 if it is absent.
    pub fn limit(&self) -> Result<u16, Problem> {
        let Some(text) = self.one("limit")? else {
            return Ok(DEFAULT_LIMIT);
        };
        text.parse()
            .ok()
            .filter(|limit| LIMITS.contains(limit))
            .ok_or_else(|| {
                let (min, max) = (LIMITS.start(), LIMITS.end());
                Problem::field("/limit", format!("must be a number from {min} to {max}"))
            })
    }

    /// The parameter `cursor`, which comes from the `Link` header of an earlier page.
    pub fn cursor(&self) -> Result<Option<Cursor>, Problem> {
        self.one("cursor")?
            .map(|text| {
                Cursor::decode(text)
                    .ok_or_else(|| Problem::field("/cursor", "must be a cursor from a Link header"))
            })
            .transpose()
    }

    /// The value of a `Link` header for the next page: the same parameters with the new cursor.
    pub fn link_to_next(&self, path: &str, next: &Cursor) -> String {
        self.link_by("cursor", path, next)
    }

    /// The same, for a route whose cursor is the parameter `name`.
    pub fn link_by(&self, name: &str, path: &str, next: &Cursor) -> String {
        let kept = self.0.iter().filter(|(kept, _)| kept != name);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair(name, &next.encode())
            .finish();
        format!("<{path}?{query}>; rel=\"next\"")
    }
}

/// Decodes a name or a value of a query string.
pub fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["status", "prefix", "limit", "cursor"];

    fn pointer(problem: &Problem) -> String {
        problem.body("", "").errors[0].pointer.clone()
    }

    #[test]
    fn repeated_parameter_is_accepted_by_all_and_rejected_by_one() {
        let params = Params::parse("status=A&status=B&prefix=%2Fa+b%2B", NAMES).expect("fine");
        assert_eq!(params.all("status").collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(params.one("prefix").expect("one"), Some("/a b+"));
        assert_eq!(pointer(&params.one("status").expect_err("two")), "/status");
    }

    #[test]
    fn problem_names_invalid_parameter() {
        for (raw, at) in [
            ("statuses=A", "/statuses"),
            ("=A", "/"),
            ("prefix=%FF", "/prefix"),
            ("prefix=%00", "/prefix"),
        ] {
            let problem = Params::parse(raw, NAMES).expect_err(raw);
            assert_eq!(pointer(&problem), at, "{raw}");
        }
        for raw in ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit="] {
            let params = Params::parse(raw, NAMES).expect(raw);
            assert_eq!(pointer(&params.limit().expect_err(raw)), "/limit");
        }
        let params = Params::parse("cursor=nonsense", NAMES).expect("known");
        assert_eq!(pointer(&params.cursor().expect_err("bad")), "/cursor");
    }

    #[test]
    fn link_to_next_keeps_all_filters() {
        let params = Params::parse("status=A&prefix=/a%26b&cursor=old&status=B", NAMES);
        let next = Cursor::Upload(Uuid::nil());
        assert_eq!(
            params.expect("fine").link_to_next("/uploads", &next),
            format!(
                "</uploads?status=A&prefix=%2Fa%26b&status=B&cursor={}>; rel=\"next\"",
                next.encode()
            )
        );
    }
}
