//! Checksums of parts, which S3 compares with their bytes, and checksums of the whole object.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::scene::{MIN, Scene, bytes, crc64, sha256};

#[tokio::test]
async fn announced_part_checksums_are_enforced_by_s3() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 3);
    let session = scene
        .begin(
            "crc.bin",
            whole.len(),
            json!({"part_checksums": "CRC64NVME"}),
        )
        .await;
    assert_eq!(session["multipart"]["parts"], json!([]), "{session:#}");
    let (first, last) = whole.split_at(MIN);
    let asked = json!({"parts": [
        {"part_number": 1, "checksum": crc64(first)},
        {"part_number": 2, "checksum": crc64(last)},
    ]});
    let parts = scene.asked(&session, asked).await;
    let mut torn = first.to_vec();
    torn[MIN / 2] ^= 1;
    let refused = scene.send(&parts[0], torn).await;
    assert!(refused.body.contains("BadDigest"), "{refused:#?}");
    scene.send(&parts[0], first).await.expect_ok();
    scene.send(&parts[1], last).await.expect_ok();
    let listed = scene.listed(&session).await;
    assert_eq!(
        listed["uploaded"][0]["checksum"],
        crc64(first),
        "{listed:#}"
    );
    let claims = json!({"checksum": crc64(&whole)});
    let upload = scene
        .acknowledge(&session, claims)
        .await
        .expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
}

#[tokio::test]
async fn sha256_of_all_parts_proves_the_whole_object() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 3);
    // The session did not announce part checksums, so its multipart upload is started again with
    // the algorithm.
    let session = scene.begin("sha.bin", whole.len(), json!({})).await;
    let (first, last) = whole.split_at(MIN);
    let asked = json!({"parts": [
        {"part_number": 1, "checksum": sha256(first)},
        {"part_number": 2, "checksum": sha256(last)},
    ]});
    let parts = scene.asked(&session, asked).await;
    scene.send(&parts[0], first).await.expect_ok();
    scene.send(&parts[1], last).await.expect_ok();
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
    let value = upload["object"]["checksum"]["value"].as_str().unwrap();
    assert!(value.ends_with("-2"), "{upload:#}");
    assert_eq!(
        upload["checksum"], upload["object"]["checksum"],
        "{upload:#}"
    );
}

fn crc(algorithm: &str, bytes: &[u8]) -> Value {
    let (kind, length) = match algorithm {
        "CRC32" => (crc_fast::CrcAlgorithm::Crc32IsoHdlc, 4),
        "CRC32C" => (crc_fast::CrcAlgorithm::Crc32Iscsi, 4),
        _ => (crc_fast::CrcAlgorithm::Crc64Nvme, 8),
    };
    let value = crc_fast::checksum(kind, bytes).to_be_bytes();
    json!({"algorithm": algorithm, "value": STANDARD.encode(&value[8 - length..])})
}

fn sha1(bytes: &[u8]) -> Value {
    use sha1::Digest as _;
    json!({"algorithm": "SHA1", "value": STANDARD.encode(sha1::Sha1::digest(bytes))})
}

#[tokio::test]
async fn acknowledge_proves_right_crc_of_whole_and_rejects_wrong_one() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 3);
    let (first, last) = whole.split_at(MIN);
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME"] {
        for is_right in [true, false] {
            let path = format!("{algorithm}-{is_right}.bin");
            let more = json!({"part_checksums": algorithm});
            let session = scene.begin(&path, whole.len(), more).await;
            let asked = json!({"parts": [
                {"part_number": 1, "checksum": crc(algorithm, first)},
                {"part_number": 2, "checksum": crc(algorithm, last)},
            ]});
            let parts = scene.asked(&session, asked).await;
            scene.send(&parts[0], first).await.expect_ok();
            scene.send(&parts[1], last).await.expect_ok();
            let claimed = if is_right { &whole[..] } else { first };
            let claims = json!({"checksum": crc(algorithm, claimed)});
            let reply = scene.acknowledge(&session, claims).await;
            if is_right {
                let upload = reply.expect(StatusCode::OK);
                assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
                assert_eq!(upload["object"]["checksum"], crc(algorithm, &whole));
                continue;
            }
            let problem = reply.expect_problem(422, "object-mismatch");
            assert_eq!(problem["mismatches"][0]["field"], "checksum", "{problem:#}");
            assert_eq!(scene.app.read(&session).await["status"], "Error");
        }
    }
}

/// A composite checksum, as a client computes it from its parts.
fn composite(algorithm: &str, parts: &[&[u8]]) -> Value {
    let of = |bytes: &[u8]| match algorithm {
        "SHA1" => sha1(bytes),
        _ => sha256(bytes),
    };
    let raw = |checksum: Value| {
        STANDARD
            .decode(checksum["value"].as_str().unwrap())
            .unwrap()
    };
    let all: Vec<u8> = parts.iter().flat_map(|part| raw(of(part))).collect();
    let mut whole = of(&all);
    let value = format!("{}-{}", whole["value"].as_str().unwrap(), parts.len());
    whole["value"] = json!(value);
    whole
}

#[tokio::test]
async fn acknowledge_compares_composite_checksum_given_by_client() {
    let scene = Scene::new().await;
    let whole = bytes(MIN + 3);
    let (first, last) = whole.split_at(MIN);
    for algorithm in ["SHA1", "SHA256"] {
        let of = |bytes: &[u8]| match algorithm {
            "SHA1" => sha1(bytes),
            _ => sha256(bytes),
        };
        for is_right in [true, false] {
            let path = format!("{algorithm}-{is_right}.bin");
            let more = json!({"part_checksums": algorithm});
            let session = scene.begin(&path, whole.len(), more).await;
            let asked = json!({"parts": [
                {"part_number": 1, "checksum": of(first)},
                {"part_number": 2, "checksum": of(last)},
            ]});
            let parts = scene.asked(&session, asked).await;
            scene.send(&parts[0], first).await.expect_ok();
            scene.send(&parts[1], last).await.expect_ok();
            let cut = if is_right {
                [first, last]
            } else {
                [last, first]
            };
            let claims = json!({"checksum": composite(algorithm, &cut)});
            let reply = scene.acknowledge(&session, claims.clone()).await;
            if is_right {
                let upload = reply.expect(StatusCode::OK);
                assert_eq!(upload["verification"]["level"], "checksum", "{upload:#}");
                assert_eq!(upload["object"]["checksum"], claims["checksum"]);
            } else {
                reply.expect_problem(422, "object-mismatch");
            }
        }
    }
}

/// S3 does not know the SHA-256 of the whole of an object in parts, so the verification level is
/// `size`.
#[tokio::test]
async fn checksum_unknown_to_store_gives_level_size_only() {
    let scene = Scene::new().await;
    let declared = json!({"checksum": sha256(b"abc")});
    let session = scene.sent("a.bin", "abc", declared).await;
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["verification"]["level"], "size", "{upload:#}");
    assert_eq!(upload["checksum"], sha256(b"abc"), "{upload:#}");
}

/// Parts were sent without checksums, so it is too late to add checksums. The parts are kept.
#[tokio::test]
async fn checksums_are_rejected_after_parts_without_checksums() {
    let scene = Scene::new().await;
    let session = scene.sent("a.bin", "abc", json!({})).await;
    let open = scene.open().await;
    let asked = json!({"parts": [{"part_number": 1, "checksum": sha256(b"abc")}]});
    let reply = scene.ask(&session, asked).await;
    let problem = reply.expect_problem(422, "invalid-request");
    assert_eq!(
        problem["errors"][0]["pointer"], "/parts/0/checksum",
        "{problem:#}"
    );
    let detail = problem["detail"].as_str().expect("words");
    assert!(detail.contains("part_checksums"), "{detail}");
    assert_eq!(scene.open().await, open);
    scene.app.acknowledge(&session).await.expect(StatusCode::OK);
}

/// Twenty callers restart the multipart upload at once. One upload remains, and the URLs of all
/// callers belong to it.
#[tokio::test]
async fn twenty_concurrent_checksum_requests_share_one_multipart_upload() {
    let scene = Scene::new().await;
    let session = scene.begin("a.bin", 3, json!({})).await;
    let asked = json!({"parts": [{"part_number": 1, "checksum": crc64(b"abc")}]});
    let asks = (0..20).map(|_| scene.asked(&session, asked.clone()));
    let all = futures::future::join_all(asks).await;
    assert_eq!(scene.open().await.len(), 1);
    for parts in all {
        scene.send(&parts[0], "abc").await.expect_ok();
    }
    let dead = scene.send(&Scene::parts(&session)[0], "abc").await;
    assert!(dead.body.contains("NoSuchUpload"), "{dead:#?}");
    let upload = scene.app.acknowledge(&session).await.expect(StatusCode::OK);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
}
