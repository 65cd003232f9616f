//! `put` of one file, of several, of a folder; the values that are declared for them, and refusals.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault_proxy::PutFault;
use super::scene::{Scene, lines, noise};

/// The row of a path in the output.
#[track_caller]
fn row<'a>(report: &'a [Value], path: &str) -> &'a Value {
    let mut rows = report.iter().filter(|row| row["path"] == path);
    rows.next()
        .unwrap_or_else(|| panic!("no {path} in {report:#?}"))
}

#[tokio::test]
async fn put_uploads_and_verifies_file() {
    let scene = Scene::new().await;
    scene.write("a.csv", b"id\n1\n");
    let ended = scene.end(&["put", "a.csv", "/data/b.csv"]).await.ok();
    assert_eq!(ended.out, "/data/b.csv  a.csv (5 B, CRC64NVME matches)\n");
    assert_eq!(scene.stored("/data/b.csv").await, b"id\n1\n");
    let uploads = scene.uploads("/data/b.csv").await;
    assert_eq!(uploads[0]["status"], "Uploaded", "{uploads:#?}");
    assert_eq!(uploads[0]["verification"]["level"], "checksum");
    assert_eq!(scene.remembered(), 0);

    scene.write("a.csv", b"id\n2\n");
    let again = scene.end(&["put", "a.csv", "/data/b.csv"]).await;
    again.expect_failure(6, &["dataset-exists", "--overwrite"]);
}

#[tokio::test]
async fn put_declares_name_comments_metadata_and_content_type() {
    let scene = Scene::new().await;
    scene.write("a", b"{}");
    let report = scene
        .end(&[
            "put",
            "--json",
            "--name",
            "Staff",
            "--comments",
            "all of them",
            "--metadata",
            "team=hr",
            "--metadata",
            "k=a=b",
            "--content-type",
            "text/x-staff",
            "a",
            "data/a",
        ])
        .await
        .ok()
        .json();
    let upload = &scene.uploads("/data/a").await[0];
    assert_eq!(upload["name"], "Staff", "{upload:#}");
    assert_eq!(upload["comments"], "all of them", "{upload:#}");
    assert_eq!(upload["metadata"], json!({"team": "hr", "k": "a=b"}));
    assert_eq!(upload["content_type"], "text/x-staff", "{upload:#}");
    assert_eq!(
        report,
        json!({
            "path": "/data/a", "file": "a", "upload_id": upload["id"], "status": "Uploaded",
            "size": 2, "etag": upload["object"]["etag"],
            "version_id": null, "checksum": upload["object"]["checksum"], "level": "checksum",
            "resumed_parts": 0, "sent_bytes": 2, "already": false,
        })
    );
}

#[tokio::test]
async fn put_uploads_folder_recursively_in_one_batch() {
    let scene = Scene::new().await;
    for (name, bytes) in [("d/a.csv", "1"), ("d/b/c d.txt", "22"), ("d/empty", "")] {
        scene.write(name, bytes.as_bytes());
    }
    let into = scene.end(&["put", "--json", "d", "/in/"]).await.ok();
    let report = lines(&into.out);
    assert_eq!(report.len(), 3, "{into:#?}");
    assert_eq!(row(&report, "/in/d/b/c d.txt")["size"], 2);
    assert_eq!(row(&report, "/in/d/empty")["level"], "checksum");
    assert_eq!(scene.stored("/in/d/b/c d.txt").await, b"22");
    // One request for three sessions.
    let batches =
        r#"http_request_duration_seconds_count{method="POST",route="/uploads/batch",status="2xx"}"#;
    assert_eq!(scene.app.metric(batches).await, 1.0);

    scene.end(&["put", "d", "/as"]).await.ok();
    assert_eq!(scene.stored("/as/a.csv").await, b"1");
    scene.end(&["put", "d/a.csv", "d/b", "/"]).await.ok();
    assert_eq!(scene.stored("/a.csv").await, b"1");
    assert_eq!(scene.stored("/b/c d.txt").await, b"22");
    scene.write("d/b/c d.txt", b"33");
    let own = scene.end(&["put", "d/b"]).await;
    own.expect_failure(6, &["d/b/c d.txt", "dataset-exists"]);
}

#[tokio::test]
async fn put_continues_with_other_files_after_failure() {
    let scene = Scene::new().await;
    for name in ["a", "b", "c"] {
        scene.write(name, name.as_bytes());
    }
    scene.dataset("/in/b", b"another").await;
    let ended = scene.end(&["put", "--json", "a", "b", "c", "/in/"]).await;
    let report = lines(&ended.out);
    ended.expect_failure(6, &["error: b: ", "dataset-exists"]);
    assert_eq!(report.len(), 3, "{report:#?}");
    assert_eq!(row(&report, "/in/a")["status"], "Uploaded");
    assert_eq!(row(&report, "/in/c")["status"], "Uploaded");
    let failed = report.iter().find(|row| row["subject"] == "b");
    assert_eq!(failed.unwrap()["error"]["code"], "dataset-exists");
    assert_eq!(scene.stored("/in/b").await, b"another");
    assert_eq!(scene.remembered(), 0);
}

#[tokio::test]
async fn put_replaces_dataset_only_with_overwrite_or_if_match() {
    let scene = Scene::new().await;
    let first = scene.dataset("/a", b"first").await;
    scene.write("a", b"second");
    scene.end(&["put", "--overwrite", "a", "/a"]).await.ok();
    assert_eq!(scene.stored("/a").await, b"second");
    scene.write("a", b"third");
    let etag = first["object"]["etag"].as_str().unwrap();
    let stale = scene.end(&["put", "--if-match", etag, "a", "/a"]).await;
    assert_eq!(stale.status.code(), Some(6), "{stale:#?}");
    assert_eq!(scene.stored("/a").await, b"second");
    let now = scene.uploads("/a").await;
    let now = now.iter().find(|upload| upload["status"] == "Uploaded");
    let etag = now.unwrap()["object"]["etag"].as_str().unwrap().to_owned();
    scene
        .end(&["put", "--if-match", &etag, "a", "/a"])
        .await
        .ok();
    assert_eq!(scene.stored("/a").await, b"third");
}

#[tokio::test]
async fn put_verifies_every_checksum_algorithm_with_and_without_parts() {
    let scene = Scene::new().await;
    scene.write("small", b"few bytes");
    let large = noise(1, 11 << 20);
    scene.write("large", &large);
    for (name, algorithm) in [
        ("crc64nvme", "CRC64NVME"),
        ("crc32", "CRC32"),
        ("crc32c", "CRC32C"),
        ("sha256", "SHA256"),
    ] {
        for (file, parts) in [("small", 1), ("large", 3)] {
            let path = format!("/{name}/{file}");
            scene.proxy.take();
            let put = [
                "put",
                "--json",
                "--checksum",
                name,
                "--part-size",
                "5",
                file,
                &path,
            ];
            let report = scene.end(&put).await.ok().json();
            assert_eq!(report["level"], "checksum", "{name} {file}: {report:#}");
            assert_eq!(report["checksum"]["algorithm"], algorithm, "{report:#}");
            let seen = scene.proxy.take();
            assert_eq!(seen.puts.len(), parts, "{seen:?}");
            let header = format!("x-amz-checksum-{}", algorithm.to_lowercase());
            let held = seen.asked.to_lowercase().matches(&header).count();
            assert!(held >= parts, "{name} {file}: {}", seen.asked);
        }
    }
    let none = ["put", "--json", "--checksum", "none", "small", "/none"];
    let report = scene.end(&none).await.ok().json();
    assert_eq!(report["level"], "size", "{report:#}");
    assert_eq!(scene.stored("/sha256/large").await, large);
}

#[tokio::test]
async fn put_reports_that_store_without_checksums_proves_size_only() {
    let scene = Scene::with_other_store().await;
    scene.write("large", &noise(2, 11 << 20));
    let put = ["put", "--json", "--part-size", "5", "large", "/large"];
    let ended = scene.end(&put).await.ok();
    assert_eq!(ended.json()["level"], "size", "{ended:#?}");
    assert!(ended.err.contains("only the size was proven"), "{ended:#?}");
}

#[tokio::test]
async fn put_rejects_invalid_command_line_without_sending() {
    let scene = Scene::new().await;
    scene.write("a", b"1");
    scene.write("b/a", b"2");
    scene.write("c", b"3");
    let made = std::process::Command::new("mkfifo")
        .arg(scene.folder().join("pipe"))
        .status();
    assert!(made.expect("mkfifo").success());
    for (args, code, texts) in [
        (vec!["a", "c"], 2, vec!["c is a local file", "write /c"]),
        (vec!["a", "-"], 2, vec!["`put … - /`"]),
        (vec!["-"], 2, vec!["put - /data/x.csv"]),
        (vec!["-", "/in/"], 2, vec!["put - /data/x.csv"]),
        (
            vec!["-", "a", "/in/"],
            2,
            vec!["cannot be combined with files"],
        ),
        (
            vec!["a", "c", "/in"],
            2,
            vec!["end the path with a slash, as in /in/"],
        ),
        (
            vec!["a", "b/a", "/in/"],
            2,
            vec!["both be uploaded to /in/a"],
        ),
        (vec!["none", "/in/"], 1, vec!["cannot read none"]),
        (
            vec!["pipe", "/in/"],
            2,
            vec!["not a regular file", "< pipe"],
        ),
        (
            vec!["--name", "x", "a", "b", "/in/"],
            2,
            vec!["single file"],
        ),
        (vec!["--metadata", "x", "a", "/a"], 2, vec!["KEY=VALUE"]),
        (vec!["--part-size", "4", "a", "/a"], 2, vec!["5..=5120"]),
        (vec!["--parallel", "0", "a", "/a"], 2, vec!["1..=64"]),
        (
            vec!["--if-match", "x", "--overwrite", "a", "/a"],
            2,
            vec!["cannot be used with"],
        ),
        (vec!["a", "/in/../a"], 8, vec!["segment"]),
        (vec![], 2, vec!["Usage"]),
    ] {
        let all = [vec!["put"], args].concat();
        scene.end(&all).await.expect_failure(code, &texts);
    }
    assert_eq!(scene.proxy.take().puts, [0; 0]);
    assert_eq!(scene.end(&["ls", "-r"]).await.ok().out, "");
    assert_eq!(scene.remembered(), 0);
}

#[tokio::test]
async fn put_uses_parts_above_threshold_of_broker() {
    let setup = crate::support::app::Setup::new().set("BROKER_MULTIPART_THRESHOLD_BYTES", 1000);
    let scene = Scene::of(setup).await;
    let bytes = noise(6, 6000);
    scene.write("a", &bytes);
    let report = scene.end(&["put", "--json", "a", "/a"]).await.ok().json();
    assert_eq!(report["level"], "checksum", "{report:#}");
    assert_eq!(scene.proxy.take().puts, [1]);
    let ended = scene
        .run(&["put", "--json", "-", "/b"])
        .stdin(&bytes)
        .finish()
        .await;
    assert_eq!(ended.ok().json()["level"], "checksum");
    assert!(scene.stored("/b").await == bytes);
}

/// Without a terminal there is a progress line from time to time; `--quiet` suppresses it.
#[tokio::test]
async fn put_prints_progress_lines_without_terminal_unless_quiet() {
    let scene = Scene::new().await;
    scene.write("a", &noise(7, 11 << 20));
    for (quiet, lines) in [(false, true), (true, false)] {
        let late = PutFault::Late(Duration::from_millis(5_500));
        scene.proxy.harm([late, late, late]);
        let mut put = vec!["put", "--overwrite", "--part-size", "5", "a", "/a"];
        put.extend(quiet.then_some("--quiet"));
        let ended = scene.end(&put).await.ok();
        let printed = ended.err.contains("/a: ") && ended.err.contains(" of 11.00 MiB (");
        assert_eq!(printed, lines, "{ended:#?}");
    }
}
