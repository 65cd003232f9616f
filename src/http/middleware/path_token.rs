//! `/t/{token}/…`: an upload token in the path, for clients that can send no header.
//!
//! The path is rewritten before anything else looks at it: logs, measurements, problems and routes
//! know the rest alone. Only upload tokens may come this way; keys and JWTs do not belong into
//! what proxies write down. Nor does a token: no page that the answer leads to is told of it.

use std::fmt;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header::{HeaderValue, REFERRER_POLICY};
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _};
use secrecy::{ExposeSecret as _, SecretString};

/// What every such path begins with.
pub const START: &str = "/t/";

/// The token of a path, with the request that it came with. A clone is the same token; the last one
/// wipes it from memory. No `Debug` shows it.
#[derive(Clone)]
pub struct PathToken(Arc<SecretString>);

impl PathToken {
    fn new(token: &str) -> Self {
        Self(Arc::new(token.into()))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PathToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathToken(***)")
    }
}

/// Takes the token out of the path and leaves it with the request.
pub async fn path_token<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let Some((token, uri)) = split(request.uri()) else {
        return next.call(request).await;
    };
    let token = PathToken::new(token);
    request.extensions_mut().insert(token);
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
    let mut response = next.call(request).await?;
    let nothing = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(REFERRER_POLICY, nothing);
    Ok(response)
}

/// The token, and the same address without it.
fn split(uri: &Uri) -> Option<(&str, Uri)> {
    let (token, rest) = match uri.path().strip_prefix(START)?.split_once('/') {
        Some((token, rest)) => (token, format!("/{rest}")),
        None => (uri.path().strip_prefix(START)?, "/".to_owned()),
    };
    let rest = match uri.query() {
        // One is enough. Nothing is there, and the second is not shown either.
        _ if rest.starts_with(START) => "/t".to_owned(),
        Some(query) => format!("{rest}?{query}"),
        None => rest,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(rest.parse().unwrap_or(PathAndQuery::from_static("/t")));
    let uri = Uri::from_parts(parts).unwrap_or(Uri::from_static("/t"));
    Some((token, uri))
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;
    use crate::http::extract::base::Base;

    #[test]
    fn the_token_goes_and_the_rest_stays() {
        for (before, token, after) in [
            ("/t/ubt_a.b/uploads", "ubt_a.b", "/uploads"),
            ("/t/x/uploads?path=/t/y/z", "x", "/uploads?path=/t/y/z"),
            ("/t/x/datasets/a%2Fb//c", "x", "/datasets/a%2Fb//c"),
            ("/t/x/", "x", "/"),
            ("/t/x", "x", "/"),
            ("/t//uploads", "", "/uploads"),
            ("/t/x/t/y/uploads", "x", "/t"),
            ("/t/x//uploads", "x", "//uploads"),
        ] {
            let before = before.parse().unwrap();
            let (found, uri) = split(&before).unwrap();
            assert_eq!((found, uri.to_string()), (token, after.to_owned()));
        }
        for path in ["/", "/t", "/tokens", "/uploads/t/x/y", "/T/x/uploads"] {
            assert!(split(&path.parse().unwrap()).is_none(), "{path}");
        }
    }

    #[test]
    fn nothing_shows_it_and_its_end_wipes_it() {
        fn is_wiped<T: ZeroizeOnDrop>(_: &Arc<T>) {}

        let token = PathToken::new("ubt_a.b");
        is_wiped(&token.0);
        assert!(Arc::ptr_eq(&token.0, &token.clone().0), "a copy");
        let base = Base::of(Some(token));
        assert_eq!(base.join("/uploads"), "/t/ubt_a.b/uploads");
        assert!(!format!("{base:?}").contains("ubt_a"), "{base:?}");
    }
}
