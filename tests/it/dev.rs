//! `upload-broker dev`: everything in one process, without configuration.

mod life;
pub mod shell;
pub mod stack;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::database::Database;
use stack::Stack;

/// The three printed commands work as they are, and the notification is logged.
#[tokio::test]
async fn printed_commands_upload_a_file_and_notification_is_logged() {
    let stack = Stack::new();
    let mut running = stack.start(&[]).await;
    let pasted = shell::paste(&running.lines()).await;
    assert!(pasted.contains(r#""status":"Pending""#), "{pasted}");
    assert!(pasted.contains("S3 answers 200"), "{pasted}");
    assert!(pasted.contains(r#""status":"Uploaded""#), "{pasted}");
    assert!(pasted.contains(r#""level":"size""#), "{pasted}");
    assert!(pasted.contains(r#""path":"/data/hello-"#), "{pasted}");
    let shown = running.process.wait_for_log("notification: ").await;
    let (_, event) = shown.split_once("notification: ").expect("an event");
    let event: Value = serde_json::from_str(event).expect("a CloudEvent");
    assert_eq!(event["type"], "dataset.uploaded", "{event:#}");
    assert_eq!(event["data"]["name"], "Hello", "{event:#}");

    let docs = reqwest::get(format!("{}/docs/", running.caller.url)).await;
    assert_eq!(docs.expect("an answer").status(), StatusCode::OK);
    running.process.stop("INT").await.ok();
}

/// Settings for the real cloud in the developer's shell have no effect.
#[tokio::test]
async fn dev_ignores_aws_and_broker_settings_of_the_shell() {
    let stack = Stack::new();
    let foreign = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        (
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ),
        ("AWS_SESSION_TOKEN", "token"),
        ("AWS_PROFILE", "no-such-profile"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:1"),
        ("AWS_CONFIG_FILE", "/nonexistent"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("BROKER_S3_BUCKET", "production"),
        ("BROKER_S3_PATH_STYLE", "false"),
        ("BROKER_S3_PUBLIC_ENDPOINT", "https://s3.example.com"),
        ("BROKER_S3_CONDITIONAL_WRITES", "off"),
        (
            "BROKER_SNS_TOPIC_ARN",
            "arn:aws:sns:eu-central-1:123456789012:production",
        ),
        ("BROKER_MIGRATE", "false"),
    ];
    let mut running = stack.start(&foreign).await;
    shell::paste(&running.lines()).await;
    running.process.wait_for_log("notification: ").await;
    let list = running.caller.get("/datasets").await.expect(StatusCode::OK);
    let upload = running.caller.upload("/data/again.csv", "x").await;
    assert_eq!(
        upload["s3_url"], "s3://datasets/data/again.csv",
        "{upload:#}"
    );
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list:#}");
    running.process.stop("INT").await.ok();
}

/// `DATABASE_URL` is used if it is set; the key of another database is not printed for it.
#[tokio::test]
async fn dev_uses_database_url_and_prints_key_of_that_database() {
    let stack = Stack::new();
    let own = stack.start(&[]).await;
    let first = own.caller.key.clone();
    own.process.stop("INT").await.ok();

    let database = Database::empty();
    let settings = [("DATABASE_URL", database.url())];
    let running = stack.start(&settings).await;
    assert_ne!(running.caller.key, first, "a key of another database");
    running.caller.upload("/data/a.csv", "x").await;
    let client = crate::support::database::connect(database.url()).await;
    let row = client.query_one("SELECT count(*) FROM uploads", &[]).await;
    assert_eq!(row.expect("a count").get::<_, i64>(0), 1);
    assert_eq!(stack.postgres(), None, "a Postgres that no part needs");
    running.process.stop("INT").await.ok();
}

/// A page in a browser PUTs directly to the store, and reads the ETag of the answer.
#[tokio::test]
async fn browser_can_upload_directly_to_embedded_store() {
    let stack = Stack::new();
    let running = stack
        .start(&[("BROKER_CORS_ORIGINS", "https://app.example.com")])
        .await;
    let caller = &running.caller;
    let origin = "https://app.example.com";
    let ask = |url: String, method: &str, headers: &str| {
        let ask = caller
            .http
            .request(Method::OPTIONS, url)
            .header("origin", origin);
        ask.header("access-control-request-method", method)
            .header("access-control-request-headers", headers)
            .send()
    };
    let api = ask(
        format!("{}/uploads", caller.url),
        "POST",
        "authorization,content-type",
    )
    .await;
    let api = api.expect("an answer");
    assert!(api.status().is_success(), "{api:?}");
    assert_eq!(
        api.headers()["access-control-allow-origin"],
        origin,
        "{api:?}"
    );

    let session = caller.create("/data/page.csv").await;
    let upload = &session["upload"];
    let names: Vec<_> = upload["headers"]
        .as_object()
        .expect("headers")
        .keys()
        .cloned()
        .collect();
    let url = upload["url"].as_str().expect("a URL").to_owned();
    let store = ask(url.clone(), "PUT", &names.join(","))
        .await
        .expect("an answer");
    assert!(store.status().is_success(), "{store:?}");
    assert_eq!(
        store.headers()["access-control-allow-origin"],
        "*",
        "{store:?}"
    );
    let allowed = store.headers()["access-control-allow-headers"]
        .to_str()
        .expect("text");
    assert!(
        names.iter().all(|name| allowed.contains(&**name)),
        "{store:?}"
    );

    let mut put = caller.http.put(url).header("origin", origin);
    for (name, value) in upload["headers"].as_object().expect("headers") {
        put = put.header(name, value.as_str().expect("a value"));
    }
    let sent = put.body("x").send().await.expect("an answer");
    assert!(sent.status().is_success(), "{sent:?}");
    let exposed = sent.headers()["access-control-expose-headers"]
        .to_str()
        .expect("text");
    assert!(
        exposed.contains("ETag") && sent.headers().contains_key("etag"),
        "{sent:?}"
    );
    running.process.stop("INT").await.ok();
}
