//! Query parameters: strict. An unknown or doubled parameter is a mistake worth naming, because
//! a filter that is silently ignored answers another question.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;

use crate::domain::page::{Cursor, DEFAULT_LIMIT, LIMITS};
use crate::http::problem::Problem;

/// What a route takes from its query string.
pub trait FromParams: Sized {
    /// Every parameter that the route knows.
    const NAMES: &'static [&'static str];

    /// Reads them. Only parameters of [`NAMES`](Self::NAMES) are there.
    fn from_params(params: &Params) -> Result<Self, Problem>;
}

/// The query of a request, read into `T`.
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

/// The decoded parameters, in order.
#[derive(Clone, Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes `a=1&b=2` (application/x-www-form-urlencoded); refuses what is not in `names`,
    /// not UTF-8, or holds a control character.
    pub fn parse(raw: &str, names: &[&str]) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).unwrap_or_default();
            if !names.contains(&name.as_str()) {
                let known = if names.is_empty() {
                    "this route takes none".to_owned()
                } else {
                    format!("this route takes {}", names.join(", "))
                };
                let name: String = name.chars().take(64).collect();
                return Err(Problem::field(
                    &format!("/{name}"),
                    format!("is no parameter here; {known}"),
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

    /// Every value of a parameter that may be given more than once.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that may be given once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut all = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let first = all.next();
        if all.next().is_some() {
            return Err(Problem::field(&format!("/{name}"), "is given twice"));
        }
        Ok(first)
    }

    /// `true` or `false`; nothing where it is not given.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.one(name)? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Problem::field(&format!("/{name}"), "must be true or false")),
        }
    }

    /// A time with its zone (RFC 3339); nothing where it is not given.
    pub fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| {
            let right = "must be a time with its zone, such as 2026-11-21T08:00:00Z";
            Problem::field(&format!("/{name}"), right)
        })?;
        Ok(Some(time.to_utc()))
    }

    /// `limit`: 1 … 1000, 100 where it is not given.
    pub fn limit(&self) -> Result<u16, Problem> {
        let Some(text) = self.one("limit")? else {
            return Ok(DEFAULT_LIMIT);
        };
        text.parse()
            .ok()
            .filter(|limit| LIMITS.contains(limit))
            .ok_or_else(|| {
                let (least, most) = (LIMITS.start(), LIMITS.end());
                Problem::field("/limit", format!("must be a number from {least} to {most}"))
            })
    }

    /// `cursor`, as an earlier page's `Link` gave it.
    pub fn cursor(&self) -> Result<Option<Cursor>, Problem> {
        self.one("cursor")?
            .map(|text| {
                Cursor::decode(text)
                    .ok_or_else(|| Problem::field("/cursor", "is not one that a Link header gave"))
            })
            .transpose()
    }

    /// `Link: <…>; rel="next"`: the same question, from the cursor on.
    pub fn link_to_next(&self, path: &str, next: &Cursor) -> String {
        let kept = self.0.iter().filter(|(name, _)| name != "cursor");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("cursor", &next.encode())
            .finish();
        format!("<{path}?{query}>; rel=\"next\"")
    }
}

fn decode(text: &str) -> Option<String> {
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
    fn a_parameter_may_be_repeated_where_the_route_says_so() {
        let params = Params::parse("status=A&status=B&prefix=%2Fa+b%2B", NAMES).expect("fine");
        assert_eq!(params.all("status").collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(params.one("prefix").expect("one"), Some("/a b+"));
        assert_eq!(pointer(&params.one("status").expect_err("two")), "/status");
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
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
    fn the_next_page_keeps_every_filter() {
        let params = Params::parse("status=A&prefix=/a%26b&cursor=old&status=B", NAMES);
        let next = Cursor::Upload(uuid::Uuid::nil());
        assert_eq!(
            params.expect("fine").link_to_next("/uploads", &next),
            format!(
                "</uploads?status=A&prefix=%2Fa%26b&status=B&cursor={}>; rel=\"next\"",
                next.encode()
            )
        );
    }
}
