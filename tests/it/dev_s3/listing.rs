//! Lists are in the byte order of the keys, complete over all pages, and grouped by delimiters.

use std::collections::BTreeSet;

use aws_sdk_s3::primitives::ByteStream;
use tokio::task::JoinSet;

use super::{BUCKET, TestStore};

/// Keys that sort differently as bytes, as UTF-16 and by locale, or that need escaping.
const ODD: [&str; 14] = [
    "a",
    "a/b",
    "a/b/c",
    "A",
    "a b",
    "a+b",
    "a%20b",
    "a&b<c>\"",
    "ä",
    "z",
    "日本/語",
    "\u{fffd}",
    "\u{10000}",
    "a//b",
];

async fn fill(store: &TestStore, keys: impl IntoIterator<Item = String>) {
    let mut writers = JoinSet::new();
    for key in keys {
        if writers.len() >= 16 {
            writers.join_next().await.unwrap().unwrap();
        }
        let put = store
            .s3
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(ByteStream::from_static(b"x"));
        writers.spawn(async move { put.send().await.map(|_| ()).expect("a PUT") });
    }
    writers.join_all().await;
}

/// Reads all pages; returns the keys and common prefixes in order, and the number of pages.
async fn list(
    store: &TestStore,
    prefix: &str,
    delimiter: Option<&str>,
    page: i32,
) -> (Vec<String>, Vec<String>, usize) {
    let (mut keys, mut folders, mut pages, mut token) = (Vec::new(), Vec::new(), 0, None);
    loop {
        let request = store
            .s3
            .list_objects_v2()
            .bucket(BUCKET)
            .prefix(prefix)
            .max_keys(page);
        let request = request
            .set_delimiter(delimiter.map(str::to_owned))
            .set_continuation_token(token);
        let answer = request.send().await.unwrap();
        let entries = answer.contents().len() + answer.common_prefixes().len();
        assert_eq!(
            answer.key_count().map(i64::from),
            i64::try_from(entries).ok()
        );
        assert!(
            entries <= usize::try_from(page).unwrap(),
            "{entries} entries on a page of {page}"
        );
        keys.extend(
            answer
                .contents()
                .iter()
                .map(|object| object.key().unwrap().to_owned()),
        );
        folders.extend(
            answer
                .common_prefixes()
                .iter()
                .map(|folder| folder.prefix().unwrap().to_owned()),
        );
        pages += 1;
        token = answer.next_continuation_token().map(str::to_owned);
        assert_eq!(answer.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return (keys, folders, pages);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_key_once_in_byte_order() {
    let store = TestStore::start().await;
    let mut expected: Vec<String> = (0..2_486).map(|n| format!("p{}/k{n:05}", n % 7)).collect();
    expected.extend(ODD.map(str::to_owned));
    fill(&store, expected.clone()).await;
    // `str` compares by bytes.
    expected.sort_unstable();
    let (keys, folders, pages) = list(&store, "", None, 1000).await;
    assert_eq!((keys.len(), folders.len(), pages), (2_500, 0, 3));
    assert!(
        keys == expected,
        "first difference: {:?}",
        keys.iter().zip(&expected).find(|(a, b)| a != b)
    );
    for page in [1000, 337] {
        let (keys, _, _) = list(&store, "p3/", None, page).await;
        let wanted: Vec<_> = expected
            .iter()
            .filter(|key| key.starts_with("p3/"))
            .collect();
        assert!(keys.iter().eq(wanted), "pages of {page}");
    }
    let head = store
        .s3
        .list_objects_v2()
        .bucket(BUCKET)
        .max_keys(5000)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (head.contents().len(), head.max_keys()),
        (1000, Some(1000)),
        "S3 gives 1,000 at most"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn delimiters_group_folders_on_pages_of_any_size() {
    let store = TestStore::start().await;
    let many = (0..40).map(|n| format!("many/{n:02}"));
    fill(&store, ODD.map(str::to_owned).into_iter().chain(many)).await;
    let all: Vec<String> = list(&store, "", None, 1000).await.0;
    for prefix in ["", "a", "a/", "a/b", "日", "none"] {
        let under = |key: &&String| key.starts_with(prefix);
        let folder = |key: &String| {
            key[prefix.len()..]
                .find('/')
                .map(|at| key[..=prefix.len() + at].to_owned())
        };
        let keys: Vec<String> = all
            .iter()
            .filter(under)
            .filter(|key| folder(key).is_none())
            .cloned()
            .collect();
        let folders: BTreeSet<String> = all.iter().filter(under).filter_map(folder).collect();
        for page in [1, 2, 3, 1000] {
            let (got_keys, got_folders, _) = list(&store, prefix, Some("/"), page).await;
            assert_eq!(got_keys, keys, "keys below {prefix:?}, pages of {page}");
            assert_eq!(
                got_folders,
                Vec::from_iter(folders.clone()),
                "folders below {prefix:?}, pages of {page}"
            );
        }
    }
    let (keys, folders, _) = list(&store, "", Some("//"), 1000).await;
    assert_eq!(folders, ["a//"], "a delimiter may have several characters");
    assert_eq!(keys.len(), all.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn list_entry_has_same_attributes_as_head() {
    let store = TestStore::start().await;
    store.put("k", b"hello").await;
    let head = store
        .s3
        .head_object()
        .bucket(BUCKET)
        .key("k")
        .send()
        .await
        .unwrap();
    let listed = store
        .s3
        .list_objects_v2()
        .bucket(BUCKET)
        .send()
        .await
        .unwrap();
    let entry = &listed.contents()[0];
    assert_eq!(entry.e_tag(), head.e_tag());
    assert_eq!(entry.size(), Some(5));
    assert_eq!(
        entry.last_modified().unwrap().secs(),
        head.last_modified().unwrap().secs()
    );
    assert_eq!(entry.storage_class().unwrap().as_str(), "STANDARD");
}

#[tokio::test(flavor = "multi_thread")]
async fn list_supports_start_after_and_encoding_and_rejects_bad_tokens() {
    let store = TestStore::start().await;
    fill(&store, ["a b", "a+b", "b", "c"].map(str::to_owned)).await;
    let list = || store.s3.list_objects_v2().bucket(BUCKET);
    let after = list().start_after("a+b").send().await.unwrap();
    assert_eq!(
        after
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .collect::<Vec<_>>(),
        ["b", "c"]
    );
    let encoded = list()
        .encoding_type("url".into())
        .prefix("a ")
        .send()
        .await
        .unwrap();
    assert_eq!(encoded.contents()[0].key(), Some("a%20b"));
    assert_eq!(encoded.prefix(), Some("a%20"));
    let none = list().max_keys(0).send().await.unwrap();
    assert_eq!(
        (none.key_count(), none.is_truncated()),
        (Some(0), Some(false))
    );
    let bad = list()
        .continuation_token("not a token")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        bad.raw_response().map(|raw| raw.status().as_u16()),
        Some(400)
    );
    let nowhere = store
        .s3
        .list_objects_v2()
        .bucket("no-such-bucket")
        .send()
        .await
        .unwrap_err();
    assert!(nowhere.into_service_error().is_no_such_bucket());
}
