//! The public pages about the broker itself.

use reqwest::StatusCode;

use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::reply::Reply;

/// Sends a GET request without a key.
async fn get(app: &App, path: &str) -> Reply {
    Reply::of(app.http.get(format!("{}{path}", app.url))).await
}

#[tokio::test]
async fn heartbeat_and_livez_report_status_version_and_time() {
    let app = App::start().await;
    for path in ["/heartbeat", "/livez"] {
        let beat = get(&app, path).await.expect(StatusCode::OK);
        assert_eq!(beat["status"], "ok", "{beat:#}");
        assert_eq!(beat["version"], env!("CARGO_PKG_VERSION"), "{beat:#}");
        let time = beat["time"].as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    }
}

#[tokio::test]
async fn readyz_names_the_unavailable_dependency() {
    let gate = Gate::new(cloud::address());
    let app = Setup::new().s3(gate.endpoint()).start().await;
    gate.close().await;
    let reply = get(&app, "/readyz").await;
    assert!(reply.header("retry-after").is_some(), "{reply:#?}");
    let ready = reply.expect(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready["checks"]["s3"], "unavailable", "{ready:#}");
    assert_eq!(ready["checks"]["postgres"], "ok", "{ready:#}");
    assert_eq!(ready["outbox"]["waiting"], 0, "{ready:#}");
    // The process itself is healthy.
    get(&app, "/livez").await.expect(StatusCode::OK);
}

#[tokio::test]
async fn readyz_answers_200_when_all_dependencies_are_available() {
    let app = App::start().await;
    let ready = get(&app, "/readyz").await.expect(StatusCode::OK);
    assert_eq!(ready["status"], "ready", "{ready:#}");
    assert_eq!(ready["checks"]["s3"], "ok", "{ready:#}");
}

#[tokio::test]
async fn openapi_document_is_served_as_yaml_and_json() {
    let app = App::start().await;
    let yaml = get(&app, "/openapi.yaml").await.expect_ok();
    assert_eq!(yaml.body, upload_broker::http::openapi::yaml());
    let json = get(&app, "/openapi.json").await.expect(StatusCode::OK);
    assert_eq!(json["openapi"], "3.1.0");
}

#[tokio::test]
async fn swagger_ui_is_served_without_external_files() {
    let app = App::start().await;
    let redirect = get(&app, "/docs").await;
    assert_eq!(redirect.header("location"), Some("/docs/"), "{redirect:#?}");
    let page = get(&app, "/docs/").await.expect_ok().body;
    let mut files = 0;
    for part in page.split(['"', '\'']).filter(|part| part.contains('.')) {
        assert!(!part.contains("://"), "{part} is from elsewhere");
        let is_file = [".css", ".js", ".png"]
            .iter()
            .any(|end| part.ends_with(end));
        if is_file {
            let path = format!("/docs/{}", part.trim_start_matches("./"));
            let file = get(&app, &path).await;
            assert_eq!(file.status, StatusCode::OK, "{path}");
            files += 1;
        }
    }
    assert!(files >= 5, "{files} files in {page}");
    let start = get(&app, "/docs/swagger-initializer.js").await.expect_ok();
    assert!(start.body.contains("\"/openapi.json\""), "{start:#?}");
    get(&app, "/docs/none.js")
        .await
        .expect_problem(404, "not-found");
}

#[tokio::test]
async fn every_problem_type_leads_to_a_page_with_its_title() {
    let app = App::start().await;
    let request = app.http.get(format!("{}/problems", app.url));
    let all = Reply::of(request.header("accept", "application/json")).await;
    let all = all.expect(StatusCode::OK);
    let all = all.as_array().expect("a list");
    assert!(all.len() >= 20, "{all:#?}");
    for entry in all {
        let path = entry["type"].as_str().expect("a type");
        let page = get(&app, path).await.expect_ok();
        let title = entry["title"].as_str().expect("a title");
        assert!(page.body.contains(title), "{page:#?}");
    }
}

#[tokio::test]
async fn metrics_contain_route_patterns_and_never_paths() {
    let app = App::start().await;
    app.get("/datasets/very/secret/path.csv").await;
    app.get("/nowhere/at/all").await;
    let text = get(&app, "/metrics").await.expect_ok().body;
    assert!(text.contains("route=\"/datasets/{path}\""), "{text}");
    assert!(
        !text.contains("secret") && !text.contains("nowhere"),
        "{text}"
    );
}

#[tokio::test]
async fn metrics_are_not_public_when_they_have_their_own_listener() {
    let app = Setup::new()
        .set("BROKER_METRICS_BIND", "127.0.0.1:0")
        .start()
        .await;
    get(&app, "/metrics").await.expect_problem(404, "not-found");
}

#[tokio::test]
async fn every_link_of_the_front_page_works() {
    let app = App::start().await;
    let page = get(&app, "/").await.expect_ok().body;
    for link in page.split("href=\"").skip(1) {
        let path = link.split('"').next().expect("a quote");
        let status = get(&app, path).await.status;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
}
