//! `get` without faults, and requests for datasets that cannot be fetched.

use serde_json::json;

use super::fault_proxy::ResponseFault;
use super::scene::{Scene, lines, noise};

#[tokio::test]
async fn get_downloads_and_verifies_bytes_without_sending_key_to_store() {
    let scene = Scene::new().await;
    let bytes = noise(1, 3_000_000);
    scene.dataset("/data/a b+é.bin", &bytes).await;
    let ended = scene.end(&["get", "/data/a b+é.bin"]).await.ok();
    assert_eq!(scene.read("a b+é.bin"), bytes);
    assert_eq!(
        scene.names(),
        ["a b+é.bin"],
        "something is left: {ended:#?}"
    );
    assert!(ended.out.contains("CRC64NVME matches"), "{ended:#?}");
    assert!(
        !ended.err.contains('\x1b'),
        "bars without a terminal: {ended:#?}"
    );

    // The key is sent to the broker only.
    let asked = scene.proxy.take().asked.to_lowercase();
    assert!(asked.contains("get /"), "{asked}");
    assert!(!asked.contains("authorization"), "{asked}");
    assert!(!asked.contains(&scene.app.key.to_lowercase()), "{asked}");

    let ended = scene
        .end(&["get", "--json", "data/a b+é.bin", "other.bin"])
        .await
        .ok();
    let [report] = &lines(&ended.out)[..] else {
        panic!("{ended:#?}");
    };
    assert_eq!(report["path"], "/data/a b+é.bin");
    assert_eq!(report["file"], "other.bin");
    assert_eq!(report["size"], bytes.len());
    assert_eq!(report["level"], "checksum");
    assert_eq!(report["checksum"]["algorithm"], "CRC64NVME");
    assert_eq!(report["resumed_at"], 0);
    assert_eq!(scene.read("other.bin"), bytes);
}

/// The same with another kind of store, over a connection that breaks.
#[tokio::test]
async fn get_resumes_with_a_store_that_computes_no_checksum() {
    let scene = Scene::with_other_store().await;
    let bytes = noise(8, 1_000_000);
    scene.dataset("/data/a.bin", &bytes).await;
    scene.proxy.play(ResponseFault::Cut(400_000), 2);
    let ended = scene.end(&["get", "/data/a.bin"]).await.ok();
    assert!(scene.read("a.bin") == bytes, "{ended:#?}");
    // This store computes no checksum by itself.
    assert!(
        ended.err.contains("only the size was checked"),
        "{ended:#?}"
    );
}

/// Whatever algorithm the dataset was declared with.
#[tokio::test]
async fn get_verifies_every_declarable_checksum_algorithm() {
    let scene = Scene::new().await;
    for (algorithm, value, level) in [
        ("CRC64NVME", "rosUhgp5mIg=", "checksum"),
        ("CRC32", "y/Q5Jg==", "checksum"),
        ("CRC32C", "4waSgw==", "checksum"),
        (
            "SHA256",
            "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
            "checksum",
        ),
    ] {
        let path = format!("/{algorithm}");
        let checksum = json!({"checksum": {"algorithm": algorithm, "value": value}});
        scene.app.upload(&path, "123456789", checksum).await;
        let report = scene.end(&["get", "--json", &path]).await.ok().json();
        assert_eq!(report["level"], level, "{report:#}");
        assert_eq!(report["checksum"]["algorithm"], algorithm, "{report:#}");
        assert_eq!(scene.read(algorithm), b"123456789");
    }
}

#[tokio::test]
async fn get_of_empty_dataset_creates_empty_file() {
    let scene = Scene::new().await;
    scene.app.bucket.put("empty", "").await;
    scene.end(&["get", "/empty"]).await.ok();
    assert_eq!(scene.read("empty"), b"");
    assert_eq!(scene.names(), ["empty"]);
}

#[tokio::test]
async fn get_replaces_existing_file_only_with_force() {
    let scene = Scene::new().await;
    scene.dataset("/data/a.csv", b"new").await;
    std::fs::write(scene.folder().join("a.csv"), "old").unwrap();
    let ended = scene.end(&["get", "/data/a.csv"]).await;
    ended.expect_failure(6, &["a.csv already exists", "--force"]);
    assert_eq!(scene.read("a.csv"), b"old");
    assert_eq!(scene.proxy.take().asked, "", "bytes were asked for in vain");
    scene.end(&["get", "--force", "/data/a.csv"]).await.ok();
    assert_eq!(scene.read("a.csv"), b"new");

    std::fs::create_dir(scene.folder().join("into")).unwrap();
    for to in ["into", "into/"] {
        scene.end(&["get", "-f", "/data/a.csv", to]).await.ok();
        assert_eq!(scene.read("into/a.csv"), b"new");
    }
    let ended = scene.end(&["get", "/data/a.csv", "nowhere/a.csv"]).await;
    ended.expect_failure(2, &["nowhere is not an existing folder"]);
    let ended = scene.end(&["get", "-f", "/data/a.csv", "/dev/null"]).await;
    ended.expect_failure(6, &["/dev/null is not a regular file"]);
    assert_eq!(scene.names(), ["a.csv", "into"]);
}

#[tokio::test]
async fn get_to_standard_output_prints_only_the_bytes() {
    let scene = Scene::new().await;
    scene.dataset("/data/a.csv", b"id,name\n1,Ada\n").await;
    let ended = scene.end(&["get", "/data/a.csv", "-"]).await.ok();
    assert_eq!(ended.out, "id,name\n1,Ada\n");
    assert!(ended.err.contains("CRC64NVME matches"), "{ended:#?}");
    let ended = scene.end(&["get", "-q", "/data/a.csv", "-"]).await.ok();
    assert_eq!((&*ended.out, &*ended.err), ("id,name\n1,Ada\n", ""));
    let ended = scene.end(&["get", "--json", "/data/a.csv", "-"]).await;
    ended.expect_failure(2, &["--json"]);
    assert!(scene.names().is_empty());
}

#[tokio::test]
async fn get_reports_missing_dataset_and_invalid_path() {
    let scene = Scene::new().await;
    let ended = scene.end(&["get", "/nothing.csv"]).await;
    ended.expect_failure(5, &["dataset-not-found", "upload-broker ls"]);
    let ended = scene.end(&["get", "--json", "/nothing.csv"]).await;
    let [report] = &lines(&ended.out)[..] else {
        panic!("{ended:#?}");
    };
    assert_eq!(report["error"]["code"], "dataset-not-found");
    assert_eq!(report["error"]["exit_code"], 5);
    scene
        .end(&["get", "/a//b"])
        .await
        .expect_failure(8, &["path"]);
    // An HTTP client would normalize these to another path.
    scene.app.bucket.put("b", "1").await;
    for (command, path) in [("get", "/a/../b"), ("rm", "/a/../b"), ("rm", "./b")] {
        let ended = scene.end(&[command, path]).await;
        ended.expect_failure(2, &["segment"]);
    }
    assert!(scene.app.bucket.head("b").await.is_some());
    scene
        .end(&["get", "/data/"])
        .await
        .expect_failure(2, &["folder"]);
    assert!(scene.names().is_empty());
}

/// A multipart object may have a composite checksum, of the checksums of its parts. It cannot be
/// compared with the bytes alone.
#[tokio::test]
async fn get_reports_composite_checksum_as_size_check_only() {
    let scene = Scene::new().await;
    put_with_composite_checksum(&scene, "data/parts.bin", b"in one part").await;
    let ended = scene.end(&["get", "--json", "/data/parts.bin"]).await.ok();
    assert!(
        ended.err.contains("only the size was checked"),
        "{ended:#?}"
    );
    let report = ended.json();
    assert_eq!(report["level"], "size", "{report:#}");
    assert_eq!(report["checksum"], json!(null), "{report:#}");
    assert_eq!(scene.read("parts.bin"), b"in one part");
}

async fn put_with_composite_checksum(scene: &Scene, key: &str, bytes: &[u8]) {
    use aws_sdk_s3::types::{
        ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart,
    };
    let (s3, bucket) = (&scene.app.bucket.client, &scene.app.bucket.name);
    let begun = s3.create_multipart_upload().bucket(bucket).key(key);
    let begun = begun.checksum_algorithm(ChecksumAlgorithm::Sha256);
    let begun = begun
        .checksum_type(ChecksumType::Composite)
        .send()
        .await
        .unwrap();
    let id = begun.upload_id().unwrap();
    let part = s3
        .upload_part()
        .bucket(bucket)
        .key(key)
        .upload_id(id)
        .part_number(1);
    let part = part.checksum_algorithm(ChecksumAlgorithm::Sha256);
    let part = part.body(bytes.to_vec().into()).send().await.unwrap();
    let done = CompletedPart::builder()
        .part_number(1)
        .e_tag(part.e_tag().unwrap());
    let done = done
        .checksum_sha256(part.checksum_sha256().unwrap())
        .build();
    let parts = CompletedMultipartUpload::builder().parts(done).build();
    let whole = s3
        .complete_multipart_upload()
        .bucket(bucket)
        .key(key)
        .upload_id(id);
    whole.multipart_upload(parts).send().await.unwrap();
}

/// On a terminal there is a progress bar, which is gone when the download is done.
#[tokio::test]
async fn get_shows_progress_bar_on_terminal_and_clears_it() {
    let scene = Scene::new().await;
    let bytes = noise(9, 3_000_000);
    scene.dataset("/data/big.bin", &bytes).await;
    // Python opens a pseudo-terminal of 100 columns.
    let code = "import fcntl, os, pty, struct, sys, termios\n\
        child, terminal = pty.fork()\n\
        if child == 0:\n    \
            fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 100, 0, 0))\n    \
            os.execv(sys.argv[1], sys.argv[1:])\n\
        while True:\n    \
            try: said = os.read(terminal, 4096)\n    \
            except OSError: break\n    \
            if not said: break\n    \
            os.write(1, said)\n\
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n";
    let mut python = tokio::process::Command::new(crate::support::venv("python3"));
    python.args([
        "-c",
        code,
        env!("CARGO_BIN_EXE_upload-broker"),
        "get",
        "/data/big.bin",
    ]);
    python
        .env("UPLOAD_BROKER_URL", &scene.app.url)
        .env("TERM", "xterm");
    python
        .env("UPLOAD_BROKER_KEY", &scene.app.key)
        .current_dir(scene.folder());
    let output = python.output().await.expect("Python");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}: {output:?}");
    assert!(scene.read("big.bin") == bytes, "{said:?}");
    assert!(
        said.contains("MiB/s") && said.contains("\u{1b}["),
        "{said:?}"
    );
    let end = "\u{1b}[2Kbig.bin  /data/big.bin (2.86 MiB, CRC64NVME matches)";
    assert!(said.trim_end().ends_with(end), "{said:?}");
}
