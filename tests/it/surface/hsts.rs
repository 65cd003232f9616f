//! Browsers are told to come back by TLS alone when they came by it, and never otherwise: whether
//! they did, a proxy in front knows. `tls` has the broker's own listener.

use crate::support::app::{App, Setup};
use crate::support::reply::Reply;

const HSTS: Option<&str> = Some("max-age=31536000");

/// What an answer to a request with these headers says, which must be the same with and without a
/// key, and where nothing is.
async fn told(app: &App, headers: &[(&str, &str)]) -> Option<String> {
    let mut all = Vec::new();
    for (path, status) in [("/heartbeat", 200), ("/uploads", 401), ("/nowhere", 404)] {
        let mut request = app.http.get(format!("{}{path}", app.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, status, "{reply:#?}");
        all.push(reply.header("strict-transport-security").map(str::to_owned));
    }
    all.dedup();
    assert_eq!(all.len(), 1, "{headers:?}: {all:?}");
    all.remove(0)
}

async fn behind(proxies: &str) -> App {
    Setup::new()
        .set("BROKER_TRUSTED_PROXIES", proxies)
        .start()
        .await
}

#[tokio::test]
async fn a_trusted_proxy_says_that_it_ended_tls() {
    let app = behind("127.0.0.0/8,10.0.0.0/8").await;
    for headers in [
        &[("x-forwarded-proto", "https")][..],
        &[("forwarded", "for=192.0.2.1;proto=https")],
        &[(
            "forwarded",
            "for=192.0.2.1;proto=https, for=10.2.2.2;proto=http",
        )],
        &[
            ("x-forwarded-for", "192.0.2.1, 10.2.2.2"),
            ("x-forwarded-proto", "https, http"),
        ],
    ] {
        assert_eq!(told(&app, headers).await.as_deref(), HSTS, "{headers:?}");
    }
}

#[tokio::test]
async fn over_plain_http_nothing_is_said() {
    let app = behind("127.0.0.0/8").await;
    for headers in [
        &[][..],
        &[("x-forwarded-proto", "http")],
        &[("forwarded", "for=192.0.2.1;proto=http")],
        &[("x-forwarded-for", "192.0.2.1")],
        // What the client sent before the proxy added its own.
        &[("x-forwarded-proto", "https, http")],
        &[("forwarded", "proto=https, for=192.0.2.1;proto=http")],
        &[("x-forwarded-proto", "https"), ("forwarded", "proto=http")],
    ] {
        assert_eq!(told(&app, headers).await, None, "{headers:?}");
    }
}

#[tokio::test]
async fn a_stranger_is_not_believed() {
    let app = behind("10.0.0.0/8").await;
    for headers in [
        &[("x-forwarded-proto", "https")][..],
        &[("forwarded", "for=192.0.2.1;proto=https")],
    ] {
        assert_eq!(told(&app, headers).await, None, "{headers:?}");
    }
}
