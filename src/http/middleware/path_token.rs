//! `/t/{token}/…`: an upload token in the path, for clients that cannot send headers.
//!
//! The token is removed from the path before any other layer reads it, so that logs, metrics,
//! problems and routes see only the rest. Only upload tokens are accepted in the path, because
//! proxies log paths, and API keys and JWTs must not end up there. The response forbids browsers to
//! send the path as a referrer.

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

/// The start of all such paths.
pub const PREFIX: &str = "/t/";

/// The token from the path of a request, as an extension of that request. Clones share the token;
/// it is wiped from memory when the last clone is dropped. `Debug` does not show it.
#[derive(Clone)]
pub struct PathToken(Arc<SecretString>);

impl PathToken {
    fn new(token: &str) -> Self {
        Self(Arc::new(token.into()))
    }

    /// Returns the token itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for PathToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PathToken(***)")
    }
}

/// Removes the token from the path and adds it to the request as an extension.
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
    let no_referrer = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(REFERRER_POLICY, no_referrer);
    Ok(response)
}

/// Splits a URI into the token and the URI without it. `None` if there is no token.
fn split(uri: &Uri) -> Option<(&str, Uri)> {
    let (token, rest) = match uri.path().strip_prefix(PREFIX)?.split_once('/') {
        Some((token, rest)) => (token, format!("/{rest}")),
        None => (uri.path().strip_prefix(PREFIX)?, "/".to_owned()),
    };
    let rest = match uri.query() {
        // A second token is not accepted. It must not be logged either, so the path is replaced by
        // one that matches no route.
        _ if rest.starts_with(PREFIX) => "/t".to_owned(),
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
    use crate::http::extract::base_path::BasePath;

    #[test]
    fn split_separates_token_from_path() {
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
    fn token_is_hidden_from_debug_and_wiped_on_drop() {
        fn is_wiped<T: ZeroizeOnDrop>(_: &Arc<T>) {}

        let token = PathToken::new("ubt_a.b");
        is_wiped(&token.0);
        assert!(Arc::ptr_eq(&token.0, &token.clone().0), "a copy");
        let base = BasePath::of(Some(token));
        assert_eq!(base.join("/uploads"), "/t/ubt_a.b/uploads");
        assert!(!format!("{base:?}").contains("ubt_a"), "{base:?}");
    }
}
