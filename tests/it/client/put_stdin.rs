//! `put -`: data from a pipe, whose size is unknown before its end.

use super::scene::{Scene, noise};

#[tokio::test]
async fn put_of_standard_input_uses_one_request_or_parts_by_size() {
    let scene = Scene::new().await;
    for (name, size, puts) in [("none", 0, 1), ("few", 9, 1), ("many", 20 << 20, 3)] {
        let bytes = noise(3, size);
        let path = format!("/in/{name}");
        scene.proxy.take();
        let ended = scene.run(&["put", "--json", "-", &path]).stdin(&bytes);
        let report = ended.finish().await.ok().json();
        assert_eq!(report["level"], "checksum", "{report:#}");
        assert_eq!(report["size"], size, "{report:#}");
        assert_eq!(report["file"], "-", "{report:#}");
        assert_eq!(scene.proxy.take().puts.len(), puts, "{name}");
        assert!(scene.stored(&path).await == bytes, "{name}");
    }
    // Data that ends exactly at the end of a part is not followed by an empty part.
    let bytes = noise(4, 16 << 20);
    let ended = scene
        .run(&["put", "-", "/in/even"])
        .stdin(&bytes)
        .finish()
        .await;
    ended.ok();
    assert_eq!(scene.proxy.take().puts.len(), 2);
    assert!(scene.stored("/in/even").await == bytes);
}

#[tokio::test]
async fn failed_put_of_standard_input_leaves_no_parts() {
    let scene = Scene::new().await;
    scene.dataset("/a", b"1").await;
    let bytes = noise(5, 20 << 20);
    let ended = scene.run(&["put", "-", "/a"]).stdin(&bytes).finish().await;
    ended.expect_failure(6, &["dataset-exists"]);
    assert_eq!(scene.app.bucket.open_keys().await, [""; 0]);
}

/// Some stores require parts of equal size; only the last part is smaller.
#[tokio::test]
async fn put_of_standard_input_uses_parts_of_chosen_size() {
    let scene = Scene::new().await;
    let bytes = noise(6, 17 << 20);
    let put = ["put", "--json", "--part-size", "5", "-", "/a"];
    let report = scene.run(&put).stdin(&bytes).finish().await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    let seen = scene.proxy.take();
    assert_eq!(seen.puts.len(), 4, "{seen:?}");
    let length = format!("content-length: {}", 5 << 20);
    assert_eq!(
        seen.asked.to_lowercase().matches(&length).count(),
        3,
        "{seen:?}"
    );
    assert!(scene.stored("/a").await == bytes);
}
