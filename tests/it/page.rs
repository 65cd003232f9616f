//! The web page: its files, their caching, and the policy that confines it. The stories of its
//! users are in `tests/browser`.

use std::io::Read as _;

use flate2::read::GzDecoder;
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::reply::Reply;

/// A GET request that the HTTP client neither decodes nor adds an `Accept-Encoding` to.
fn get(app: &App, path: &str) -> RequestBuilder {
    app.http.get(format!("{}{path}", app.url))
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().expect("text"))
}

/// The page, which `make page` builds.
async fn start_page(app: &App) -> String {
    let page = Reply::of(get(app, "/")).await.expect_ok().body;
    assert!(
        page.contains("<div id=\"page\">"),
        "the binary has no page: run `make page` first\n{page}"
    );
    page
}

/// The paths of the scripts and styles of the page.
fn files(page: &str) -> Vec<&str> {
    page.split('"')
        .filter(|part| part.starts_with("/assets/"))
        .collect()
}

#[tokio::test]
async fn page_may_only_run_its_own_scripts_and_reach_the_broker_and_the_store() {
    let app = App::start().await;
    let page = start_page(&app).await;
    assert!(!page.contains("<style"), "inline style: {page}");
    for script in page.split("<script").skip(1) {
        let (attributes, rest) = script.split_once('>').expect("a tag");
        assert!(attributes.contains("src=\"/assets/"), "{attributes}");
        assert!(rest.starts_with("</script>"), "inline script: {page}");
    }
    let response = get(&app, "/").send().await.expect("an answer");
    let policy = header(&response, "content-security-policy");
    let store = format!("http://{}", cloud::address());
    for expected in [
        "default-src 'self';",
        "object-src 'none'",
        "frame-ancestors 'none'",
        &format!("connect-src 'self' {store};"),
        &format!("img-src 'self' data: blob: {store}"),
    ] {
        assert!(policy.contains(expected), "{expected} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header(&response, "referrer-policy"), "no-referrer");
    assert_eq!(header(&response, "cache-control"), "no-cache");
    let etag = header(&response, "etag").to_owned();
    let again = get(&app, "/").header("if-none-match", etag).send().await;
    let again = again.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.bytes().await.expect("a body").len(), 0);
}

#[tokio::test]
async fn files_of_page_are_immutable_and_compressed_on_request() {
    let app = App::start().await;
    let page = start_page(&app).await;
    let files = files(&page);
    assert!(files.len() >= 2, "{page}");
    for file in files {
        let plain = get(&app, file).send().await.expect("an answer");
        assert_eq!(plain.status(), StatusCode::OK, "{file}");
        assert_eq!(header(&plain, "content-encoding"), "", "{file}");
        assert_eq!(header(&plain, "vary"), "Accept-Encoding", "{file}");
        let cache = header(&plain, "cache-control");
        assert_eq!(cache, "public, max-age=31536000, immutable", "{file}");
        let etag = header(&plain, "etag").to_owned();
        let plain = plain.bytes().await.expect("a body");

        let gzip = get(&app, file).header("accept-encoding", "gzip, br;q=0.5");
        let gzip = gzip.send().await.expect("an answer");
        assert_eq!(header(&gzip, "content-encoding"), "gzip", "{file}");
        assert_ne!(header(&gzip, "etag"), etag, "{file}");
        let gzip = gzip.bytes().await.expect("a body");
        let mut unpacked = Vec::new();
        GzDecoder::new(&gzip[..])
            .read_to_end(&mut unpacked)
            .expect("gzip");
        assert_eq!(unpacked, plain, "{file}");

        let browser = get(&app, file).header("accept-encoding", "gzip, deflate, br, zstd");
        let brotli = browser.send().await.expect("an answer");
        assert_eq!(header(&brotli, "content-encoding"), "br", "{file}");
        let size = brotli.bytes().await.expect("a body").len();
        assert!(size < plain.len(), "{file}: {size} of {}", plain.len());
    }
    let missing = Reply::of(get(&app, "/assets/none.js")).await;
    missing.expect_problem(404, "not-found");
}

#[tokio::test]
async fn page_is_not_served_if_it_is_switched_off() {
    let app = Setup::new().set("BROKER_PAGE", "false").start().await;
    let start = Reply::of(get(&app, "/")).await.expect_ok().body;
    assert!(start.contains("href=\"/docs/\""), "{start}");
    assert!(!start.contains("/assets/"), "{start}");
}
