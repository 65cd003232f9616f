//! Stores whose pages of open multipart uploads do not say where the next page begins.

use std::collections::BTreeSet;

use super::changeable_store;
use crate::janitor::clear;
use crate::support::app::Setup;
use crate::support::rewriting_proxy::{ProxiedResponse, Rewrite};

/// A page with one upload that does not say where the next page begins.
fn page(key: &str, truncated: bool) -> ProxiedResponse {
    let document = format!(
        "<ListMultipartUploadsResult><IsTruncated>{truncated}</IsTruncated><Upload>\
         <Key>{key}</Key><UploadId>id-of-{key}</UploadId>\
         <Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload></ListMultipartUploadsResult>"
    );
    ProxiedResponse::xml(200, document)
}

#[tokio::test]
async fn listing_without_next_marker_continues_after_its_last_upload() {
    let store = changeable_store().await;
    store.set_rule(|asked| {
        if !asked.is("GET", "?uploads") {
            return None;
        }
        let answer = match asked.target.split_once("key-marker=") {
            None => page("a b.bin", true),
            Some((_, rest)) if rest.starts_with("a%20b.bin") => page("c.bin", true),
            Some(_) => page("d.bin", false),
        };
        Some(Rewrite::Replace(answer))
    });
    let app = Setup::new()
        .s3(store.endpoint())
        .set("BROKER_STALE_MULTIPART_SCOPE", "bucket")
        .start()
        .await;
    let found = clear(&app).await;
    let keys: BTreeSet<_> = found.iter().map(|line| line["key"].to_string()).collect();
    let expected = ["\"a b.bin\"", "\"c.bin\"", "\"d.bin\""].map(str::to_owned);
    assert_eq!(keys, BTreeSet::from(expected), "{found:#?}");
    let marked = store.count(|asked| asked.target.contains("upload-id-marker=id-of-"));
    assert_eq!(marked, 2, "{:#?}", store.requests());
}
