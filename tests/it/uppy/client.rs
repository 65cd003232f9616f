//! The requests of an Uppy client.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::part_plan::MIN_PART_SIZE;

use crate::support::app::{App, Setup};
use crate::support::reply::Reply;

const BOUNDARY: &str = "----WebKitFormBoundaryeQ7dVdWN3bLBVlqI";
/// The setting of the arrival checks, as long as the loop of the broker does not run by itself.
pub const CHECK_SECONDS: i64 = 600;

/// A broker whose loop of arrival checks does not disturb the test.
pub fn setup() -> Setup {
    Setup::new().set("BROKER_UPPY_LOOK_SECONDS", CHECK_SECONDS)
}

/// A client with its address, which may contain a token, and with a header of version 5.
pub struct Uppy {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Uppy {
    /// A client of version 5 (`endpoint`, `headers`).
    pub fn v5(app: &App) -> Uppy {
        Uppy::with_key(app, &app.key)
    }

    /// A client of version 5 with this credential.
    pub fn with_key(app: &App, key: &str) -> Uppy {
        Uppy {
            http: app.http.clone(),
            base: app.url.clone(),
            key: Some(key.to_owned()),
        }
    }

    /// A client of version 6 (`companionEndpoint`), which sends no header.
    pub fn v6(app: &App, token: &str) -> Uppy {
        Uppy {
            http: app.http.clone(),
            base: format!("{}/t/{token}", app.url),
            key: None,
        }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request
                .bearer_auth(key)
                .header("accept", "application/json"),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(&body)).await
    }

    /// Asks for a form. `query` is encoded as the client does it.
    pub async fn params(&self, query: &str) -> Value {
        let form = self.get(&format!("/s3/params?{query}")).await;
        form.expect(StatusCode::OK)
    }

    /// Begins an upload in parts.
    pub async fn begin(&self, filename: &str) -> Multipart<'_> {
        let body = json!({"filename": filename, "type": "application/octet-stream",
            "metadata": {"name": filename, "type": "application/octet-stream"}});
        self.begin_with(body).await
    }

    pub async fn begin_with(&self, body: Value) -> Multipart<'_> {
        let begun = self.post("/s3/multipart", body).await;
        let begun = begun.expect(StatusCode::OK);
        let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
        Multipart {
            uppy: self,
            key: text("key"),
            s3_upload_id: text("uploadId"),
        }
    }
}

/// Sends a form to the store as a browser does: every field, and the file last.
pub async fn send_form(http: &reqwest::Client, form: &Value, bytes: &[u8]) -> Reply {
    let fields = form["fields"].as_object().expect("fields");
    let mut body = Vec::new();
    for (name, value) in fields {
        let value = value.as_str().expect("a text");
        let part = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
        body.extend_from_slice(part.as_bytes());
    }
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"blob\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let post = http.post(form["url"].as_str().expect("a URL"));
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    Reply::of(post.header("content-type", kind).body(body)).await
}

/// The id of the upload that a form belongs to.
pub fn upload_of(form: &Value) -> String {
    let id = form["fields"]["x-amz-meta-upload-id"].as_str();
    id.expect("an upload id").to_owned()
}

/// The value of a field of a form.
pub fn field<'a>(form: &'a Value, name: &str) -> &'a str {
    form["fields"][name].as_str().expect("a field")
}

/// An upload in parts, as the client knows it.
pub struct Multipart<'a> {
    pub uppy: &'a Uppy,
    pub key: String,
    pub s3_upload_id: String,
}

impl Multipart<'_> {
    /// The path of a route: `encodeURIComponent` of the upload id, and the key as version 6 encodes it.
    pub fn path(&self, end: &str) -> String {
        let key: String = url::form_urlencoded::byte_serialize(self.key.as_bytes()).collect();
        self.path_with(end, &key)
    }

    /// The same as version 5 encodes it, with `%20`.
    pub fn path_v5(&self, end: &str) -> String {
        let key: String = url::form_urlencoded::byte_serialize(self.key.as_bytes()).collect();
        self.path_with(end, &key.replace('+', "%20"))
    }

    fn path_with(&self, end: &str, key: &str) -> String {
        let id = percent_encoding::utf8_percent_encode(
            &self.s3_upload_id,
            percent_encoding::NON_ALPHANUMERIC,
        );
        let joint = if end.contains('?') { "&" } else { "?" };
        format!("/s3/multipart/{id}{end}{joint}key={key}")
    }

    /// Asks for the URL of a part.
    pub async fn sign(&self, number: u32) -> Value {
        let signed = self.uppy.get(&self.path(&format!("/{number}"))).await;
        signed.expect(StatusCode::OK)
    }

    /// Sends a part, and returns its ETag as the store quotes it.
    pub async fn send(&self, number: u32, bytes: Vec<u8>) -> String {
        let url = self.sign(number).await["url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        let sent = Reply::of(self.uppy.http.put(url).body(bytes)).await;
        let sent = sent.expect_ok();
        sent.header("etag").expect("an ETag").to_owned()
    }

    /// Lists the parts that the store has.
    pub async fn list(&self) -> Value {
        let listed = self.uppy.get(&self.path("")).await;
        listed.expect(StatusCode::OK)
    }

    pub async fn complete(&self, parts: Value) -> Reply {
        let path = self.path("/complete");
        self.uppy.post(&path, json!({"parts": parts})).await
    }

    pub async fn abort(&self) -> Reply {
        Reply::of(self.uppy.request(Method::DELETE, &self.path(""))).await
    }
}

/// The bytes of the smallest part that is not the last one.
pub fn whole_part(byte: u8) -> Vec<u8> {
    vec![byte; usize::try_from(MIN_PART_SIZE).expect("a size")]
}

/// The upload of a key of the default tenant, in any status.
pub async fn upload_at(app: &App, key: &str) -> Value {
    let path: String = url::form_urlencoded::byte_serialize(format!("/{key}").as_bytes()).collect();
    let found = app.get(&format!("/uploads?path={path}")).await;
    let found = found.expect(StatusCode::OK);
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found:#}");
    found[0].clone()
}
