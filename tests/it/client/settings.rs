//! The broker's URL and the key, and the errors when they are wrong.

use std::os::unix::fs::PermissionsExt;

use super::scene::Scene;
use crate::support::faulty_proxy::{FaultyProxy, Mode};
use crate::support::gate::Gate;
use crate::support::process::free_port;

#[tokio::test]
async fn missing_or_invalid_url_is_rejected_with_reason() {
    let scene = Scene::new().await;
    let run = scene.run(&["ls"]).unset("UPLOAD_BROKER_URL");
    let ended = run.finish().await;
    let ended = ended.expect_failure(
        2,
        &["UPLOAD_BROKER_URL", "--url", "upload-broker/config.toml"],
    );
    assert_eq!(ended.out, "");
    for (url, what) in [
        ("localhost:8080", "must start with http:// or https://"),
        ("ftp://example.com", "must start with http:// or https://"),
        ("nonsense", "is invalid"),
        (
            "http://me:secret@example.com",
            "must not contain a password",
        ),
        ("http://example.com/?a=b", "must not have a query"),
    ] {
        let ended = scene
            .end(&["ls", "--url", url])
            .await
            .expect_failure(2, &[what]);
        assert!(!ended.err.contains("secret"), "{ended:#?}");
    }
}

#[tokio::test]
async fn missing_wrong_and_insufficient_keys_have_distinct_errors() {
    let scene = Scene::new().await;
    let run = scene.run(&["ls"]).unset("UPLOAD_BROKER_KEY");
    run.finish()
        .await
        .expect_failure(4, &["unauthenticated", "UPLOAD_BROKER_KEY", "request "]);
    let run = scene.run(&["ls"]).set("UPLOAD_BROKER_KEY", "hunter2");
    let ended = run.finish().await.expect_failure(4, &["unauthenticated"]);
    assert!(!ended.err.contains("hunter2"), "{ended:#?}");
    let run = scene.run(&["ls"]).set("UPLOAD_BROKER_KEY", "two\nlines");
    run.finish()
        .await
        .expect_failure(2, &["the key contains characters"]);
    let scopes = [upload_broker::domain::principal::Scope::DatasetsRead];
    let (_, weak) = scene.app.issue_key("default", &scopes, None).await;
    let run = scene
        .run(&["rm", "/a", "/b"])
        .set("UPLOAD_BROKER_KEY", &weak);
    let ended = run
        .finish()
        .await
        .expect_failure(4, &["insufficient-scope", "datasets:delete"]);
    assert_eq!(
        ended.err.matches("error:").count(),
        1,
        "asked in vain: {ended:#?}"
    );
}

#[tokio::test]
async fn config_file_gives_url_and_key_with_lowest_precedence() {
    let scene = Scene::new().await;
    let folder = scene.folder().join("conf/upload-broker");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    let text = format!("url = {:?}\nkey = {:?}\n", scene.app.url, scene.app.key);
    std::fs::write(&file, text).unwrap();
    let mode = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o600);
    let run = |args: &[&str]| {
        let run = scene
            .run(args)
            .unset("UPLOAD_BROKER_URL")
            .unset("UPLOAD_BROKER_KEY");
        run.set("XDG_CONFIG_HOME", scene.folder().join("conf").display())
    };
    let ended = run(&["ls"]).finish().await.ok();
    assert_eq!(ended.err, "");
    mode(0o644);
    let ended = run(&["ls"]).finish().await.ok();
    assert!(
        ended.err.contains("other users can read the key in "),
        "{ended:#?}"
    );
    assert!(!ended.err.contains(&scene.app.key), "{ended:#?}");
    // The environment overrides the file, and the command line overrides both.
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let ended = run(&["ls"])
        .set("UPLOAD_BROKER_URL", &nowhere)
        .finish()
        .await;
    ended.expect_failure(3, &[&nowhere]);
    let url = scene.app.url.clone();
    let ended = run(&["ls", "--url", &url])
        .set("UPLOAD_BROKER_URL", &nowhere)
        .finish()
        .await;
    ended.ok();

    let place = file.display().to_string();
    let named = scene.run(&["ls", "--config", &place]);
    named
        .unset("UPLOAD_BROKER_URL")
        .unset("UPLOAD_BROKER_KEY")
        .finish()
        .await
        .ok();
    let ended = scene.end(&["ls", "--config", "none.toml"]).await;
    ended.expect_failure(2, &["cannot read none.toml"]);
    std::fs::write(&file, "url = \"http://x\"\nkey = hunter2\n").unwrap();
    let ended = run(&["ls"])
        .finish()
        .await
        .expect_failure(2, &["config.toml, line 2: "]);
    assert!(!ended.err.contains("hunter2"), "{ended:#?}");
    std::fs::write(&file, "ulr = \"http://x\"\n").unwrap();
    run(&["ls"])
        .finish()
        .await
        .expect_failure(2, &["line 1: ", "ulr"]);
}

#[tokio::test]
async fn unreachable_broker_and_foreign_server_are_reported() {
    let scene = Scene::new().await;
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let ended = scene.end(&["ls", "--json", "--url", &nowhere]).await;
    assert_eq!(ended.json()["error"]["exit_code"], 3, "{ended:#?}");
    ended.expect_failure(3, &[&nowhere, "refused", "UPLOAD_BROKER_URL"]);
    // Another program's server.
    let proxy = FaultyProxy::new("127.0.0.1:1".parse().unwrap());
    let page = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi";
    proxy.set_mode(Mode::Respond(page));
    let ended = scene.end(&["ls", "--url", &proxy.endpoint()]).await;
    ended.expect_failure(1, &["not one of an upload-broker"]);
    let found = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    proxy.set_mode(Mode::Respond(found));
    let ended = scene.end(&["ls", "--url", &proxy.endpoint()]).await;
    ended.expect_failure(1, &["302", "no problem document"]);
}

/// The client retries when the broker is available again in time.
#[tokio::test]
async fn client_retries_until_broker_is_available_again() {
    let scene = Scene::new().await;
    scene.dataset("/a.csv", b"1").await;
    let broker = scene.app.url.trim_start_matches("http://").parse();
    let gate = Gate::new(broker.expect("an address"));
    gate.block_responses();
    let run = scene.run(&["ls"]).set("UPLOAD_BROKER_URL", gate.endpoint());
    let process = run.spawn();
    gate.response_waits().await;
    gate.drop_connections().await;
    assert_eq!(process.wait().await.ok().out, "/a.csv\n");

    // Overloaded: the client retries after the time in `Retry-After`.
    let proxy = FaultyProxy::new("127.0.0.1:1".parse().unwrap());
    proxy.set_mode(Mode::Respond(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: 62\r\n\r\n{\"status\":503,\"code\":\"overloaded\",\"detail\":\"too much to do\"}  ",
    ));
    let run = scene.run(&["status", "--watch", "/a.csv"]);
    let process = run.set("UPLOAD_BROKER_URL", proxy.endpoint()).spawn();
    proxy.set_mode(Mode::Forward(
        scene.app.url.trim_start_matches("http://").parse().unwrap(),
    ));
    let ended = process.wait().await.ok();
    assert!(ended.out.starts_with("Uploaded"), "{ended:#?}");
}
