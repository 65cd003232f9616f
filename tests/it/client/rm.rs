//! `rm` of one dataset, of several, of missing ones and of replaced ones.

use super::scene::{Scene, lines};
use crate::support::gate::Gate;

#[tokio::test]
async fn rm_deletes_each_path_independently_and_exits_with_worst_error() {
    let scene = Scene::new().await;
    for path in ["/a.csv", "/b.csv", "/c.csv"] {
        scene.dataset(path, b"1").await;
    }
    let ended = scene.end(&["rm", "/a.csv"]).await.ok();
    assert_eq!(ended.out, "deleted /a.csv\n");
    let ended = scene
        .end(&["rm", "--json", "/b.csv", "/none.csv", "/c.csv"])
        .await;
    let report = lines(&ended.out);
    let ended = ended.expect_failure(5, &["error: /none.csv: ", "dataset-not-found"]);
    assert_eq!(report.len(), 3, "{ended:#?}");
    assert_eq!(report[0]["deleted"], true, "{report:#?}");
    assert_eq!(report[1]["subject"], "/none.csv", "{report:#?}");
    assert_eq!(
        report[1]["error"]["code"], "dataset-not-found",
        "{report:#?}"
    );
    assert_eq!(report[2]["path"], "/c.csv", "{report:#?}");
    assert_eq!(scene.end(&["ls", "-r"]).await.ok().out, "");
    scene.end(&["rm"]).await.expect_failure(2, &["PATH"]);
    scene
        .end(&["rm", "/folder/"])
        .await
        .expect_failure(1, &["-r"]);
}

#[tokio::test]
async fn rm_needs_force_for_drifted_dataset() {
    let scene = Scene::new().await;
    scene.dataset("/a.csv", b"1").await;
    scene.app.bucket.put("a.csv", "another one").await;
    let ended = scene.end(&["rm", "/a.csv"]).await;
    ended.expect_failure(6, &["dataset-drifted", "--force"]);
    assert!(scene.app.bucket.head("a.csv").await.is_some());
    scene.end(&["rm", "--force", "/a.csv"]).await.ok();
    assert!(scene.app.bucket.head("a.csv").await.is_none());
}

/// The answer to the delete was lost. The retry finds no dataset, which is the intended result.
#[tokio::test]
async fn rm_succeeds_when_answer_is_lost() {
    let scene = Scene::new().await;
    scene.dataset("/a.csv", b"1").await;
    let broker = scene.app.url.trim_start_matches("http://").parse();
    let gate = Gate::new(broker.expect("an address"));
    gate.block_responses();
    let run = scene.run(&["rm", "/a.csv"]);
    let process = run.set("UPLOAD_BROKER_URL", gate.endpoint()).spawn();
    gate.response_waits().await;
    gate.drop_connections().await;
    let ended = process.wait().await.ok();
    assert_eq!(ended.out, "deleted /a.csv\n");
    assert!(scene.app.bucket.head("a.csv").await.is_none());
}

#[tokio::test]
async fn rm_with_cascade_deletes_what_was_derived() {
    let scene = Scene::new().await;
    let kept = scene.dataset("/in/a.csv", b"1").await;
    let source = scene.dataset("/in/b.csv", b"2").await;
    scene.app.derive(&kept, "/derived/a.csv", "1").await;
    let drifted = scene.app.derive(&source, "/derived/b.csv", "2").await;
    scene.app.derive(&drifted, "/in/of-b.csv", "3").await;
    scene.end(&["rm", "/in/a.csv"]).await.ok();
    scene.app.bucket.put("derived/b.csv", "another one").await;
    let ended = scene
        .end(&["rm", "--cascade", "--force", "/in/b.csv"])
        .await;
    let id = drifted["id"].as_str().expect("an id");
    ended.expect_failure(6, &["dataset-drifted", "Nothing was deleted", id]);
    scene.end(&["rm", "--force", "/derived/b.csv"]).await.ok();
    // The folder has both the source and something derived from it: whichever goes first.
    let ended = scene
        .end(&["rm", "-r", "-y", "--cascade", "/in"])
        .await
        .ok();
    assert_eq!(
        lines_of(&ended.out),
        ["deleted /in/b.csv", "deleted /in/of-b.csv"]
    );
    let left = scene.end(&["ls", "-r"]).await.ok();
    assert_eq!(left.out, "/derived/a.csv\n", "no cascade was asked for");
    let none = scene.end(&["rm", "--cascade", "/none.csv"]).await;
    none.expect_failure(5, &["dataset-not-found"]);
}

/// The lines of a text, sorted.
fn lines_of(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}
