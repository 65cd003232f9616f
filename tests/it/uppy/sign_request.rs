//! Version 6 with `signRequest`: the page asks for the URL of each request, and the broker answers some
//! of them itself, in S3's XML.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::{Uppy, setup, upload_at, whole_part};
use crate::auth::tokens::issue_token;
use crate::support::app::App;
use crate::support::reply::Reply;

const CLIENTS_KEY: &str = "0f9d3c1e-8a52-4a52-9c5b-9a4cf7f3b1d2-a b é.txt";

async fn signed(uppy: &Uppy, request: Value) -> Value {
    uppy.post("/s3/sign", request).await.expect(StatusCode::OK)
}

/// Sends a request as the client does, without a credential.
async fn send(app: &App, method: Method, url: &Value, body: &str) -> Reply {
    let request = app.http.request(method, url.as_str().expect("a URL"));
    let kind = "application/xml";
    Reply::of(request.header("content-type", kind).body(body.to_owned())).await
}

/// The text of the first element with this name.
fn element(xml: &str, name: &str) -> String {
    let start = format!("<{name}>");
    let from = xml
        .find(&start)
        .unwrap_or_else(|| panic!("no {name} in {xml}"));
    let rest = &xml[from + start.len()..];
    rest[..rest.find("</").expect("its end")].replace("&quot;", "\"")
}

#[tokio::test]
async fn single_file_is_put_with_signed_size_and_only_once() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let request =
        json!({"method": "PUT", "key": CLIENTS_KEY, "contentType": "text/plain", "size": 5});
    let put = signed(&uppy, request).await;
    let key = put["key"].as_str().expect("a key").to_owned();
    assert!(
        key.ends_with("-a b é.txt") && !key.contains("0f9d3c1e"),
        "{key}"
    );
    let send = async |bytes: &'static str| {
        let mut request = app.http.put(put["url"].as_str().expect("a URL"));
        for (name, value) in put["headers"].as_object().expect("headers") {
            request = request.header(name, value.as_str().expect("a text"));
        }
        Reply::of(request.body(bytes)).await
    };
    assert!(send("longer").await.status.is_client_error());
    send("hello").await.expect_ok();
    assert_eq!(send("HELLO").await.status, StatusCode::PRECONDITION_FAILED);
    app.advance(chrono::TimeDelta::seconds(super::client::CHECK_SECONDS + 1));
    assert_eq!(app.janitor().await.arrived, 1);
    let upload = upload_at(&app, &key).await;
    assert_eq!(upload["verification"]["level"], "size", "{upload:#}");
}

#[tokio::test]
async fn parts_are_created_listed_and_completed_in_xml() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let begin = signed(
        &uppy,
        json!({"method": "POST", "key": "a&b.bin", "size": (5 << 20) + 3}),
    )
    .await;
    let key = begin["key"].as_str().expect("a key").to_owned();
    let created = send(&app, Method::POST, &begin["url"], "")
        .await
        .expect_ok();
    assert_eq!(created.header("content-type"), Some("application/xml"));
    let id = element(&created.body, "UploadId");
    let part = async |number: u32, bytes: Vec<u8>| {
        let request = json!({"method": "PUT", "key": key, "uploadId": id, "partNumber": number});
        let url = signed(&uppy, request).await["url"].clone();
        let sent = app.http.put(url.as_str().expect("a URL")).body(bytes);
        Reply::of(sent)
            .await
            .header("etag")
            .expect("an ETag")
            .to_owned()
    };
    let first = part(1, whole_part(1)).await;
    let list = signed(&uppy, json!({"method": "GET", "key": key, "uploadId": id})).await;
    let listed = send(&app, Method::GET, &list["url"], "").await.expect_ok();
    assert!(listed.body.contains("<ListPartsResult"), "{listed:#?}");
    assert_eq!(element(&listed.body, "PartNumber"), "1");
    assert_eq!(element(&listed.body, "ETag"), first);
    let second = part(2, b"end".to_vec()).await;
    let complete = signed(&uppy, json!({"method": "POST", "key": key, "uploadId": id})).await;
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part><Part><PartNumber>2</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        first.replace('"', "&quot;"),
        second.trim_matches('"'),
    );
    for _ in 0..2 {
        let done = send(&app, Method::POST, &complete["url"], &body)
            .await
            .expect_ok();
        assert_eq!(element(&done.body, "Key").replace("&amp;", "&"), key);
        assert!(
            element(&done.body, "Location").starts_with("http"),
            "{done:#?}"
        );
    }
    let row = upload_at(&app, &key).await;
    assert_eq!(row["verification"]["by"], "uppy", "{row:#}");
    assert_eq!(row["object"]["size"], (5 << 20) + 3, "{row:#}");
}

#[tokio::test]
async fn upload_is_aborted_and_errors_are_xml() {
    let app = setup().start().await;
    let token = issue_token(&app, json!({"prefix": "/in/"})).await;
    // With its token in the path, the URLs of the broker have it too.
    let page = Uppy::v6(&app, &token.key);
    let begin = signed(&page, json!({"method": "POST", "key": "a.bin"})).await;
    let url = begin["url"].as_str().expect("a URL");
    assert!(url.contains(&format!("/t/{}/s3/xml/", token.key)), "{url}");
    let created = send(&app, Method::POST, &begin["url"], "")
        .await
        .expect_ok();
    let (key, id) = (begin["key"].clone(), element(&created.body, "UploadId"));
    let of = |method: &str| json!({"method": method, "key": key, "uploadId": id});
    let url = signed(&page, of("POST")).await["url"].clone();
    for (body, status, code) in [
        (
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
            409,
            "InvalidPart",
        ),
        ("<CompleteMultipartUpload/>", 422, "InvalidRequest"),
        ("<", 400, "MalformedXML"),
    ] {
        let refused = send(&app, Method::POST, &url, body).await;
        assert_eq!(refused.status.as_u16(), status, "{refused:#?}");
        assert_eq!(refused.header("content-type"), Some("application/xml"));
        assert_eq!(element(&refused.body, "Code"), code, "{refused:#?}");
        assert!(
            !element(&refused.body, "Message").is_empty(),
            "{refused:#?}"
        );
    }
    let url = signed(&page, of("DELETE")).await["url"].clone();
    for _ in 0..2 {
        let gone = send(&app, Method::DELETE, &url, "").await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{gone:#?}");
    }
    assert!(app.bucket.open_keys().await.is_empty());
    let listed = send(&app, Method::GET, &url, "").await;
    assert_eq!(element(&listed.body, "Code"), "NoSuchUpload", "{listed:#?}");
    let unknown = format!("{}/s3/xml/UP%2F%2B%3D1?key=a", app.url);
    let anonymous = send(&app, Method::GET, &json!(unknown), "").await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        element(&anonymous.body, "Code"),
        "AccessDenied",
        "{anonymous:#?}"
    );
}

#[tokio::test]
async fn token_of_urls_is_short_lived_and_recorded() {
    let app = setup().start().await;
    let uppy = Uppy::v5(&app);
    let begin = signed(&uppy, json!({"method": "POST", "key": "a.bin"})).await;
    let url = begin["url"].as_str().expect("a URL");
    assert!(url.contains("/t/ubt_"), "{url}");
    assert!(!url.contains(&app.key), "{url}");
    crate::audit::rows_of_action(&app, "token.created", 1).await;
    crate::audit::rows_of_action(&app, "upload.created", 1).await;
    app.advance(chrono::TimeDelta::seconds(901));
    let over = send(&app, Method::POST, &begin["url"], "").await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED, "{over:#?}");
}

#[tokio::test]
async fn other_requests_are_refused() {
    let app = setup().set("BROKER_MAX_SIZE_BYTES", 10).start().await;
    let uppy = Uppy::v5(&app);
    for (request, code) in [
        (json!({"method": "GET", "key": "a"}), "invalid-request"),
        (
            json!({"method": "HEAD", "key": "a", "uploadId": "x"}),
            "invalid-request",
        ),
        (
            json!({"method": "PUT", "key": "a", "uploadId": "x"}),
            "invalid-request",
        ),
        (json!({"method": "PUT", "key": ""}), "invalid-request"),
        (json!({"key": "a"}), "invalid-request"),
        (
            json!({"method": "PUT", "key": "a", "size": 11}),
            "size-limit-exceeded",
        ),
        (
            json!({"method": "POST", "key": "a", "size": 11}),
            "size-limit-exceeded",
        ),
        (
            json!({"method": "PUT", "key": "a", "size": -1}),
            "invalid-request",
        ),
    ] {
        let problem = uppy
            .post("/s3/sign", request)
            .await
            .expect_problem(422, code);
        assert!(problem["message"].is_string(), "{problem:#}");
    }
    let part = json!({"method": "PUT", "key": "a", "uploadId": "UP/+=1", "partNumber": 1});
    uppy.post("/s3/sign", part)
        .await
        .expect_problem(404, "upload-not-found");
}
