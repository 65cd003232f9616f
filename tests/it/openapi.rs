//! The OpenAPI document and the broker agree: the committed document is the one that the code
//! generates, and the answers of a running broker match its schemas.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::http::openapi;

use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::reply::Reply;

mod contract;
mod generated_requests;

use contract::{Checked, Contract};

#[test]
fn committed_document_equals_generated_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.yaml");
    let committed = std::fs::read_to_string(path).expect("openapi.yaml");
    let made = openapi::yaml();
    let lines = || committed.lines().zip(made.lines()).enumerate();
    if let Some((number, (old, new))) = lines().find(|(_, (old, new))| old != new) {
        panic!(
            "openapi.yaml is stale at line {}: {old:?}, now {new:?}. Run `make openapi`.",
            number + 1
        );
    }
    assert_eq!(
        committed.len(),
        made.len(),
        "openapi.yaml is stale: run `make openapi`"
    );
}

fn document() -> Value {
    serde_json::to_value(openapi::document()).expect("the document")
}

#[test]
fn every_schema_of_the_document_is_valid_json_schema() {
    let document = document();
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    assert!(schemas.len() >= 10, "{}", schemas.len());
    for (name, schema) in schemas {
        if let Err(error) = jsonschema::meta::validate(schema) {
            panic!("{name}: {error}");
        }
    }
}

const UPLOADS: &str = "/uploads";
const UPLOAD: &str = "/uploads/{id}";
const ACKNOWLEDGE: &str = "/uploads/{id}/acknowledge";
const DATASET: &str = "/datasets/{path}";

#[tokio::test]
async fn upload_answers_match_the_document() {
    let app = App::start().await;
    let api = Checked {
        app: &app,
        contract: Contract::new(),
    };
    let full = json!({
        "path": "/data/a.csv", "name": "A", "comments": "c", "metadata": {"k": "v"}, "size": 14,
        "checksum": {"algorithm": "CRC32", "value": "tsOTXA=="}, "tags": {"t": "v"},
    });
    let session = api.post(UPLOADS, UPLOADS, full.clone(), 201).await;
    let path = format!("/uploads/{}", id(&session));
    let acknowledge = format!("{path}/acknowledge");
    api.get(UPLOAD, &path, 200).await;
    api.get(UPLOAD, &format!("{path}?refresh_urls=true"), 200)
        .await;
    api.post(ACKNOWLEDGE, &acknowledge, Value::Null, 409).await;
    app.put(&session, "id,name\n1,Ada\n").await.expect_ok();
    api.post(ACKNOWLEDGE, &acknowledge, json!({"comments": "new"}), 200)
        .await;
    api.post(UPLOADS, UPLOADS, full, 409).await;
    api.post(UPLOADS, UPLOADS, json!({"path": 1}), 422).await;
    api.get("/uploads/{id}/events", &format!("{path}/events"), 200)
        .await;
    api.get(UPLOADS, "/uploads?status=Uploaded", 200).await;
    api.get(UPLOADS, "/uploads?limit=x", 422).await;
    api.post(
        "/uploads/{id}/cancel",
        &format!("{path}/cancel"),
        Value::Null,
        409,
    )
    .await;
    let other = api.post(UPLOADS, UPLOADS, json!({"path": "/b"}), 201).await;
    let cancel = format!("/uploads/{}/cancel", id(&other));
    api.post("/uploads/{id}/cancel", &cancel, Value::Null, 200)
        .await;

    // The object that arrives is not the expected one.
    let wrong = json!({"path": "/wrong"});
    let wrong = api.post(UPLOADS, UPLOADS, wrong, 201).await;
    app.put(&wrong, "xy").await.expect_ok();
    let acknowledge = format!("/uploads/{}/acknowledge", id(&wrong));
    let problem = api
        .post(ACKNOWLEDGE, &acknowledge, json!({"size": 3}), 422)
        .await;
    assert_eq!(problem["code"], "object-mismatch", "{problem:#}");
    let failed = api
        .get(UPLOAD, &format!("/uploads/{}", id(&wrong)), 200)
        .await;
    assert_eq!(failed["status"], "Error", "{failed:#}");

    api.delete(UPLOAD, &path, 204).await;
    api.delete(UPLOAD, &path, 409).await;
    let unknown = format!("/uploads/{}", uuid::Uuid::now_v7());
    api.get(UPLOAD, &unknown, 404).await;
    api.delete(UPLOAD, &unknown, 404).await;
}

#[tokio::test]
async fn multipart_answers_match_the_document() {
    let app = App::start().await;
    let api = Checked {
        app: &app,
        contract: Contract::new(),
    };
    let (parts, extend) = ("/uploads/{id}/parts", "/uploads/{id}/extend");
    let large = json!({"path": "/a", "size": 600_000_000, "part_size": 5 << 20});
    let session = api.post(UPLOADS, UPLOADS, large, 201).await;
    let path = |end: &str| format!("/uploads/{}/{end}", id(&session));
    let next = session["multipart"]["next"].as_str().expect("more parts");
    api.post(parts, next, Value::Null, 200).await;
    let crc = json!({"algorithm": "CRC32", "value": "AAAAAA=="});
    let checked = json!({"parts": [{"part_number": 1, "checksum": crc}]});
    for body in [
        json!({"part_numbers": [1]}),
        json!({"from": 1, "count": 2}),
        checked,
    ] {
        api.post(parts, &path("parts"), body, 200).await;
    }
    api.get(parts, &path("parts"), 200).await;
    api.post(extend, &path("extend"), Value::Null, 200).await;
    let hour = json!({"expires_in": 3600});
    api.post(extend, &path("extend"), hour, 200).await;
    let acknowledge = path("acknowledge");
    let missing = api.post(ACKNOWLEDGE, &acknowledge, Value::Null, 409).await;
    assert_eq!(missing["code"], "parts-missing", "{missing:#}");
    let refreshed = format!("/uploads/{}?refresh_urls=true", id(&session));
    api.get(UPLOAD, &refreshed, 200).await;
    let batch =
        json!({"uploads": [{"path": "/b", "multipart": true}, {"path": "/c", "part_size": 1}]});
    api.post("/uploads/batch", "/uploads/batch", batch, 200)
        .await;
    let all = "/uploads/batch/acknowledge";
    let batch = json!({"acknowledge": [{"id": id(&session)}, {"id": 5}]});
    api.post(all, all, batch, 200).await;
    api.post(all, all, json!({}), 422).await;
    let none = json!({"part_numbers": [0]});
    api.post(parts, &path("parts"), none.clone(), 422).await;
    api.post(extend, &path("extend"), json!({"expires_in": 0}), 422)
        .await;
    let single = api.post(UPLOADS, UPLOADS, json!({"path": "/d"}), 201).await;
    api.get(parts, &format!("/uploads/{}/parts", id(&single)), 422)
        .await;
    api.post("/uploads/{id}/cancel", &path("cancel"), Value::Null, 200)
        .await;
    api.get(parts, &path("parts"), 409).await;
    api.post(parts, &path("parts"), none, 409).await;
    api.post(extend, &path("extend"), Value::Null, 409).await;
    let unknown = format!("/uploads/{}/parts", uuid::Uuid::now_v7());
    api.get(parts, &unknown, 404).await;
}

#[tokio::test]
async fn dataset_answers_match_the_document() {
    let app = App::start().await;
    let api = Checked {
        app: &app,
        contract: Contract::new(),
    };
    app.upload("/data/a.csv", "a", json!({})).await;
    app.bucket.put("data/b.csv", "b").await;
    app.bucket.put("data/deep/c.csv", "c").await;
    let list = api
        .get(
            "/datasets",
            "/datasets?prefix=/data/&delimiter=/&include=upload",
            200,
        )
        .await;
    assert_eq!(list.as_array().map(Vec::len), Some(3), "{list:#}");
    app.bucket.put("data/a.csv", "drifted").await;
    let list = api.get("/datasets", "/datasets?include=upload", 200).await;
    assert_eq!(list[0]["drifted"], true, "{list:#}");
    let ndjson = app.request(Method::GET, "/datasets?include=upload");
    let ndjson = Reply::of(ndjson.header("accept", "application/x-ndjson")).await;
    assert_eq!(ndjson.status, StatusCode::OK);
    api.get(DATASET, "/datasets/data/a.csv", 200).await;
    api.get(DATASET, "/datasets/data/b.csv", 200).await;
    api.get(DATASET, "/datasets/none", 404).await;
    let download = "/datasets/{path}/action/download";
    api.get(download, "/datasets/data/b.csv/action/download", 302)
        .await;
    api.get(
        download,
        "/datasets/data/b.csv/action/download?redirect=false",
        200,
    )
    .await;
    api.get(download, "/datasets/none/action/download", 404)
        .await;
    let acknowledge = "/datasets/{path}/action/acknowledge";
    api.post(
        acknowledge,
        "/datasets/data/a.csv/action/acknowledge",
        Value::Null,
        200,
    )
    .await;
    api.post(
        acknowledge,
        "/datasets/none/action/acknowledge",
        Value::Null,
        404,
    )
    .await;
    api.delete(DATASET, "/datasets/data/a.csv", 409).await;
    api.delete(DATASET, "/datasets/data/a.csv?force=remove", 204)
        .await;
    api.delete(DATASET, "/datasets/data/b.csv", 404).await;
}

#[tokio::test]
async fn problem_and_health_answers_match_the_document() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    let api = Checked {
        app: &app,
        contract: Contract::new(),
    };
    let post = |kind: &str, body: Vec<u8>| {
        let request = app
            .request(Method::POST, UPLOADS)
            .header("content-type", kind);
        Reply::of(request.body(body))
    };
    for (kind, body, status) in [
        ("application/json", b"{".to_vec(), 400),
        ("application/json", vec![b' '; 1_000_000], 413),
        ("text/plain", b"{}".to_vec(), 415),
    ] {
        let reply = post(kind, body).await;
        assert_eq!(reply.status.as_u16(), status, "{reply:#?}");
        api.contract.check(&Method::POST, UPLOADS, &reply);
    }
    let anonymous = Reply::of(app.http.get(format!("{}/uploads", app.url))).await;
    api.contract.check(&Method::GET, UPLOADS, &anonymous);
    for path in [
        "/",
        "/heartbeat",
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.yaml",
        "/openapi.json",
        "/problems",
    ] {
        api.get(path, path, 200).await;
    }
    api.get("/problems/{code}", "/problems/object-missing", 200)
        .await;
    api.get("/problems/{code}", "/problems/none", 404).await;
    gate.close().await;
    api.get("/datasets", "/datasets", 503).await;
    api.get(DATASET, "/datasets/a", 503).await;
}
