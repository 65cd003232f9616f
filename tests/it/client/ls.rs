//! `ls`: folders, recursive lists, sizes and states, lists of many pages.

use super::scene::{Scene, lines};

#[tokio::test]
async fn ls_lists_one_folder_or_everything_below() {
    let scene = Scene::new().await;
    for (path, bytes) in [
        ("/a.csv", "1"),
        ("/data/b.csv", "22"),
        ("/data/deep/c d.csv", "333"),
    ] {
        scene.dataset(path, bytes.as_bytes()).await;
    }
    for (args, printed) in [
        (&["ls"][..], "/a.csv\n/data/\n"),
        (&["ls", "/data/"], "/data/b.csv\n/data/deep/\n"),
        (&["ls", "data/"], "/data/b.csv\n/data/deep/\n"),
        (&["ls", "-r"], "/a.csv\n/data/b.csv\n/data/deep/c d.csv\n"),
        (&["ls", "-r", "/data/d"], "/data/deep/c d.csv\n"),
        (&["ls", "/nothing"], ""),
    ] {
        let ended = scene.end(args).await.ok();
        assert_eq!(ended.out, printed, "{args:?}: {ended:#?}");
    }
    let ended = scene.end(&["ls", "/nothing"]).await.ok();
    assert!(
        ended.err.contains("no dataset path starts with /nothing"),
        "{ended:#?}"
    );
    let ended = scene.end(&["ls", "--bytes"]).await;
    ended.expect_failure(2, &["--long"]);
}

#[tokio::test]
async fn ls_long_shows_size_time_and_state() {
    let scene = Scene::new().await;
    scene.dataset("/proven.csv", &[b'x'; 3000]).await;
    scene.dataset("/drifted.csv", b"as it came").await;
    scene.app.bucket.put("drifted.csv", "something else").await;
    scene.app.bucket.put("foreign\u{1b}[2J.csv", "12").await;
    scene.app.bucket.put("folder/x", "12").await;
    let ended = scene.end(&["ls", "-l"]).await.ok();
    let words: Vec<Vec<_>> = (ended.out.lines())
        .map(|line| line.split_whitespace().collect())
        .collect();
    let [drifted, folder, foreign, proven] = &words[..] else {
        panic!("{ended:#?}");
    };
    assert_eq!([drifted[0], drifted[1], drifted[3]], ["14", "B", "drifted"]);
    assert_eq!(folder[..], ["folder", "/folder/"]);
    assert_eq!([foreign[0], foreign[3]], ["2", "no-path"]);
    assert_eq!([proven[0], proven[1]], ["2.93", "KiB"]);
    assert!(
        proven[2].ends_with('Z') && proven[2].starts_with("20"),
        "{proven:?}"
    );
    assert_eq!(proven[3..], ["Uploaded", "/proven.csv"]);
    // Any program that writes to the bucket chooses names; they must not control the terminal.
    assert_eq!(foreign[4..], ["(no", "path)", "foreign\\u{1b}[2J.csv"]);

    let exact = scene.end(&["ls", "-l", "--bytes", "/proven"]).await.ok();
    assert!(exact.out.trim_start().starts_with("3000 "), "{exact:#?}");
    let ended = scene.end(&["ls", "-l", "--json"]).await.ok();
    let entries = lines(&ended.out);
    assert_eq!(entries[0]["drifted"], true, "{entries:#?}");
    assert_eq!(entries[1]["kind"], "folder", "{entries:#?}");
    assert_eq!(entries[2]["key"], "foreign\u{1b}[2J.csv", "{entries:#?}");
    assert_eq!(entries[2]["addressable"], false, "{entries:#?}");
    assert_eq!(entries[3]["upload"]["status"], "Uploaded", "{entries:#?}");
    assert_eq!(entries[3]["size"], 3000, "{entries:#?}");
}

/// More entries than one page holds: each is listed once, in order.
#[tokio::test]
async fn ls_lists_all_pages_and_ends_quietly_at_closed_pipe() {
    let scene = Scene::new().await;
    let paths: Vec<_> = (0..2_345).map(|n| format!("many/{n:05}")).collect();
    for some in paths.chunks(100) {
        futures::future::join_all(some.iter().map(|key| scene.app.bucket.put(key, "x"))).await;
    }
    let ended = scene.end(&["ls", "-r", "--json", "/many/"]).await.ok();
    let listed: Vec<_> = (lines(&ended.out).iter())
        .map(|line| {
            line["path"]
                .as_str()
                .unwrap()
                .trim_start_matches('/')
                .to_owned()
        })
        .collect();
    assert!(listed == paths, "{} of {}", listed.len(), paths.len());

    // A reader that closes the pipe early is no error.
    let bin = env!("CARGO_BIN_EXE_upload-broker");
    let script = format!(
        "set -o pipefail\nexport UPLOAD_BROKER_URL={} UPLOAD_BROKER_KEY={}\n{bin} ls -r | head -2",
        scene.app.url, scene.app.key
    );
    let mut bash = tokio::process::Command::new("bash");
    let output = bash.arg("-c").arg(script).output().await.expect("bash");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "/many/00000\n/many/00001\n", "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// Each tenant sees only its own datasets.
#[tokio::test]
async fn ls_shows_only_own_tenant_and_rm_needs_scope() {
    let scene = Scene::new().await;
    scene.dataset("/ours.csv", b"1").await;
    let scopes = [upload_broker::domain::principal::Scope::DatasetsRead];
    let (_, key) = scene.app.issue_key("acme", &scopes, None).await;
    let ended = scene
        .run(&["ls", "-r"])
        .set("UPLOAD_BROKER_KEY", &key)
        .finish()
        .await;
    assert_eq!(ended.ok().out, "");
    let gone = scene
        .run(&["rm", "/ours.csv"])
        .set("UPLOAD_BROKER_KEY", &key)
        .finish()
        .await;
    gone.expect_failure(4, &["insufficient-scope", "datasets:delete"]);
}
