//! Where URLs point: to the public endpoint, in path style or virtual-host style.

use url::Url;

use crate::support::cloud;
use crate::support::gate::Gate;
use crate::support::serving::{Place, put};

/// The URL of a session.
fn target(session: &serde_json::Value) -> Url {
    let url = session["upload"]["url"].as_str().expect("a URL");
    url.parse().expect("a URL that can be read")
}

/// Clients get URLs that are signed for the public endpoint. The broker uses its own endpoint.
#[tokio::test]
async fn urls_are_signed_for_the_public_endpoint() {
    let place = Place::new().await;
    let public = Gate::new(cloud::address());
    let run = place
        .serve()
        .set("BROKER_S3_PUBLIC_ENDPOINT", public.endpoint());
    let (_process, caller) = place.start(run).await;
    let session = caller.create("/data/a.csv").await;
    let url = target(&session);
    assert_eq!(url.port(), Some(public.addr().port()), "{url}");
    assert_eq!(url.path(), format!("/{}/data/a.csv", place.bucket.name));
    caller.put(&session, "x").await.expect_ok();

    public.close().await;
    caller.acknowledge(&session).await.expect_ok();
    let download = "/datasets/data/a.csv/action/download?redirect=false";
    let download = caller.get(download).await.expect(reqwest::StatusCode::OK);
    let url: Url = download["url"]
        .as_str()
        .expect("a URL")
        .parse()
        .expect("a URL");
    assert_eq!(url.port(), Some(public.addr().port()), "{url}");
}

/// In virtual-host style the bucket is part of the host name, and the store accepts the signature.
#[tokio::test]
async fn virtual_host_style_urls_are_accepted_by_the_store() {
    let place = Place::new().await;
    let address = cloud::address();
    let endpoint = format!("http://localhost:{}", address.port());
    let run = place.serve().set("AWS_ENDPOINT_URL_S3", endpoint);
    let (_process, caller) = place.start(run.set("BROKER_S3_PATH_STYLE", "false")).await;
    let session = caller.create("/data/a b.csv").await;
    let url = target(&session);
    let host = format!("{}.localhost", place.bucket.name);
    assert_eq!(url.host_str(), Some(&*host), "{url}");
    assert_eq!(url.path(), "/data/a%20b.csv", "{url}");
    let http = reqwest::Client::builder().resolve(&host, address).build();
    put(&http.expect("a client"), &session, "x")
        .await
        .expect_ok();
    assert_eq!(place.bucket.get("data/a b.csv").await, b"x");
}
