use chrono::DateTime;

use super::*;
use crate::domain::checksum::Algorithm;

const LIMIT: SizeLimit = SizeLimit(1_000);

fn declared(size: Option<u64>, checksum: Option<&str>) -> Declared {
    Declared {
        content_type: "text/csv".into(),
        size,
        checksum: checksum.map(|value| Checksum::new(Algorithm::Crc32, value).unwrap()),
    }
}

fn found(id: Uuid, checksums: &[&str]) -> FoundObject {
    FoundObject {
        size: 5,
        etag: "\"abc\"".into(),
        version_id: None,
        content_type: Some("Text/CSV".into()),
        checksums: checksums
            .iter()
            .map(|value| Checksum::new(Algorithm::Crc32, value).unwrap())
            .collect(),
        checksums_checked: true,
        last_modified: DateTime::UNIX_EPOCH,
        upload_id: Some(id),
        metadata: Default::default(),
        encryption: None,
        headers: Default::default(),
    }
}

fn level(declared: &Declared, found: &FoundObject) -> Option<ProofLevel> {
    match compare(found.upload_id.unwrap(), declared, None, LIMIT, None, found) {
        Verdict::Proven(_, level) => Some(level),
        _ => None,
    }
}

#[test]
fn the_level_says_what_was_really_proven() {
    let id = Uuid::from_u128(1);
    let silent = found(id, &[]);
    let told = found(id, &["AAAAAA=="]);
    assert_eq!(
        level(&declared(None, None), &told),
        Some(ProofLevel::Existence)
    );
    assert_eq!(
        level(&declared(Some(5), None), &told),
        Some(ProofLevel::Size)
    );
    let both = declared(Some(5), Some("AAAAAA=="));
    assert_eq!(level(&both, &told), Some(ProofLevel::Checksum));
    assert_eq!(
        level(&both, &silent),
        Some(ProofLevel::Size),
        "a store that returns no checksum proves none"
    );
}

#[test]
fn a_checksum_that_the_store_does_not_check_proves_the_size_alone() {
    let mut echoed = found(Uuid::from_u128(1), &["AAAAAA=="]);
    echoed.checksums_checked = false;
    let equal = declared(Some(5), Some("AAAAAA=="));
    assert_eq!(level(&equal, &echoed), Some(ProofLevel::Size));
    let other = declared(Some(5), Some("AAAAAQ=="));
    assert_eq!(level(&other, &echoed), None, "it may still refute");
}

#[test]
fn every_difference_is_named() {
    let id = Uuid::from_u128(1);
    let mut promise = declared(Some(6), Some("AAAAAQ=="));
    promise.content_type = "text/plain".into();
    let verdict = compare(
        id,
        &promise,
        Some("def"),
        LIMIT,
        None,
        &found(id, &["AAAAAA=="]),
    );
    let Verdict::Mismatch(all) = verdict else {
        panic!("{verdict:?}");
    };
    let fields: Vec<_> = all.iter().map(|one| one.field).collect();
    assert_eq!(fields, ["size", "checksum", "content_type", "etag"]);
}

#[test]
fn the_limit_holds_whatever_was_claimed() {
    let id = Uuid::from_u128(1);
    for size in [None, Some(5), Some(4)] {
        let (limit, found) = (SizeLimit(4), found(id, &[]));
        let verdict = compare(id, &declared(size, None), None, limit, None, &found);
        let over = Verdict::TooLarge { limit: 4, found: 5 };
        assert_eq!(verdict, over, "{size:?}");
    }
}

#[test]
fn another_uploads_object_is_not_ours() {
    let object = found(Uuid::from_u128(2), &[]);
    let verdict = compare(
        Uuid::from_u128(1),
        &declared(Some(5), None),
        None,
        LIMIT,
        None,
        &object,
    );
    assert_eq!(verdict, Verdict::ForeignObject);
}
