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
fn level_is_the_strongest_that_was_proven() {
    let id = Uuid::from_u128(1);
    let without_checksum = found(id, &[]);
    let with_checksum = found(id, &["AAAAAA=="]);
    assert_eq!(
        level(&declared(None, None), &with_checksum),
        Some(ProofLevel::Existence)
    );
    assert_eq!(
        level(&declared(Some(5), None), &with_checksum),
        Some(ProofLevel::Size)
    );
    let both = declared(Some(5), Some("AAAAAA=="));
    assert_eq!(level(&both, &with_checksum), Some(ProofLevel::Checksum));
    assert_eq!(
        level(&both, &without_checksum),
        Some(ProofLevel::Size),
        "a store that returns no checksum proves none"
    );
}

#[test]
fn unchecked_checksum_proves_only_the_size() {
    let mut echoed = found(Uuid::from_u128(1), &["AAAAAA=="]);
    echoed.checksums_checked = false;
    let equal = declared(Some(5), Some("AAAAAA=="));
    assert_eq!(level(&equal, &echoed), Some(ProofLevel::Size));
    let other = declared(Some(5), Some("AAAAAQ=="));
    assert_eq!(level(&other, &echoed), None, "a difference still refutes");
}

#[test]
fn compare_names_every_mismatch() {
    let id = Uuid::from_u128(1);
    let mut declared = declared(Some(6), Some("AAAAAQ=="));
    declared.content_type = "text/plain".into();
    let verdict = compare(
        id,
        &declared,
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
fn compare_rejects_object_larger_than_limit() {
    let id = Uuid::from_u128(1);
    for size in [None, Some(5), Some(4)] {
        let (limit, found) = (SizeLimit(4), found(id, &[]));
        let verdict = compare(id, &declared(size, None), None, limit, None, &found);
        let over = Verdict::TooLarge { limit: 4, found: 5 };
        assert_eq!(verdict, over, "{size:?}");
    }
}

#[test]
fn object_of_another_upload_is_foreign() {
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
