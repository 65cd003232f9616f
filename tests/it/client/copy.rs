//! `cp` and `mv`: the store copies, and no bytes pass through the client.

use super::scene::Scene;

#[tokio::test]
async fn cp_and_mv_copy_inside_the_store() {
    let scene = Scene::new().await;
    scene.dataset("/data/a.csv", b"12345").await;
    let ended = scene.end(&["cp", "/data/a.csv", "/copy.csv"]).await.ok();
    assert_eq!(ended.out, "copied /data/a.csv to /copy.csv (5 B)\n");
    let value = scene
        .end(&["cp", "--json", "data/a.csv", "into/"])
        .await
        .ok()
        .json();
    assert_eq!(value["path"], "/into/a.csv", "{value:#}");
    assert_eq!(value["status"], "Uploaded", "{value:#}");
    assert_eq!(value["size"], 5, "{value:#}");
    assert_eq!(value["moved"], false, "{value:#}");
    assert_eq!(scene.stored("/into/a.csv").await, b"12345");
    let ended = scene.end(&["mv", "/data/a.csv", "/moved.csv"]).await.ok();
    assert_eq!(ended.out, "moved /data/a.csv to /moved.csv (5 B)\n");
    assert_eq!(scene.stored("/moved.csv").await, b"12345");
    let left = scene.end(&["ls", "-r"]).await.ok().out;
    assert_eq!(left, "/copy.csv\n/into/a.csv\n/moved.csv\n");
    assert_eq!(scene.proxy.take().asked, "", "bytes came by the client");
}

#[tokio::test]
async fn cp_and_mv_replace_dataset_only_when_requested() {
    let scene = Scene::new().await;
    scene.dataset("/a", b"new").await;
    let old = scene.dataset("/b", b"old").await;
    for command in ["cp", "mv"] {
        let ended = scene.end(&[command, "/a", "/b"]).await;
        ended.expect_failure(6, &["dataset-exists", "--overwrite"]);
        assert_eq!(scene.stored("/b").await, b"old");
    }
    let etag = old["object"]["etag"].as_str().expect("an ETag");
    scene
        .end(&["cp", "--if-match", etag, "/a", "/b"])
        .await
        .ok();
    assert_eq!(scene.stored("/b").await, b"new");
    let stale = scene.end(&["cp", "--if-match", etag, "/a", "/b"]).await;
    assert_eq!(stale.status.code(), Some(6), "{stale:#?}");
    scene.end(&["cp", "--overwrite", "/a", "/b"]).await.ok();
    scene
        .end(&["cp", "/none", "/c"])
        .await
        .expect_failure(5, &["dataset-not-found"]);
    scene
        .end(&["cp", "/folder/", "/c"])
        .await
        .expect_failure(2, &["folders cannot be copied"]);
    scene.end(&["mv", "/a", "/a"]).await;
    assert_eq!(scene.stored("/a").await, b"new");
}
