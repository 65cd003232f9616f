//! Strict-Transport-Security: sent exactly where the client used TLS, which a proxy in front of the
//! broker may report. The broker's own TLS listener is tested in `tls`.

use crate::support::app::{App, Setup};
use crate::support::reply::Reply;

const HSTS: Option<&str> = Some("max-age=31536000");

/// The Strict-Transport-Security header of the answers to requests with these headers. It must be
/// the same with and without a key, and for unknown paths.
async fn hsts_header(app: &App, headers: &[(&str, &str)]) -> Option<String> {
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

async fn app_with_trusted_proxies(proxies: &str) -> App {
    Setup::new()
        .set("BROKER_TRUSTED_PROXIES", proxies)
        .start()
        .await
}

#[tokio::test]
async fn hsts_is_sent_when_a_trusted_proxy_reports_tls() {
    let app = app_with_trusted_proxies("127.0.0.0/8,10.0.0.0/8").await;
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
        assert_eq!(
            hsts_header(&app, headers).await.as_deref(),
            HSTS,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn hsts_is_not_sent_over_plain_http() {
    let app = app_with_trusted_proxies("127.0.0.0/8").await;
    for headers in [
        &[][..],
        &[("x-forwarded-proto", "http")],
        &[("forwarded", "for=192.0.2.1;proto=http")],
        &[("x-forwarded-for", "192.0.2.1")],
        // The client sent this before the proxy added its own value.
        &[("x-forwarded-proto", "https, http")],
        &[("forwarded", "proto=https, for=192.0.2.1;proto=http")],
        &[("x-forwarded-proto", "https"), ("forwarded", "proto=http")],
    ] {
        assert_eq!(hsts_header(&app, headers).await, None, "{headers:?}");
    }
}

#[tokio::test]
async fn hsts_ignores_headers_of_untrusted_clients() {
    let app = app_with_trusted_proxies("10.0.0.0/8").await;
    for headers in [
        &[("x-forwarded-proto", "https")][..],
        &[("forwarded", "for=192.0.2.1;proto=https")],
    ] {
        assert_eq!(hsts_header(&app, headers).await, None, "{headers:?}");
    }
}
