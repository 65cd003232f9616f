//! A bucket that cannot be read does not hold up the others.

use serde_json::json;

use super::command::{lines, summary};
use super::finding_lines;
use crate::support::cloud::{self, Bucket};
use crate::support::database::connect;
use crate::support::serving::Place;

/// The bucket of one tenant does not exist. The buckets that come after it are processed all the
/// same.
#[tokio::test]
async fn missing_bucket_of_one_tenant_does_not_stop_other_buckets() {
    let place = Place::new().await;
    let last = Bucket::at(&cloud::endpoint()).await;
    last.put("stray", "by another program").await;
    let tenants = format!(
        "INSERT INTO tenants (name, key_prefix, bucket) VALUES \
         ('gone', 'gone/', 'a-bucket-that-is-gone'), ('last', 'last/', '{}')",
        last.name
    );
    let client = connect(place.database.url()).await;
    client.batch_execute(&tenants).await.expect("tenants");
    let run = place.run(&["janitor", "--only", "sweep,stale-multipart", "--json"]);
    let ended = run.finish().await.expect_failure(1, &[]);
    assert_eq!(
        finding_lines(&lines(&ended)),
        ["object-without-row reported - stray"]
    );
    let summary = summary(&ended);
    assert_eq!(summary["sweep"]["ended"], "through", "{summary:#}");
    let others = &summary["tenants_buckets"];
    for what in ["sweep", "stale_multipart_uploads"] {
        let done = others[what].as_array().expect("an array");
        let done: Vec<_> = done.iter().map(|one| &one["bucket"]).collect();
        assert_eq!(done, [&json!(last.name)], "{summary:#}");
    }
    let failures = summary["failures"].as_array().expect("an array");
    assert_eq!(failures.len(), 2, "{summary:#}");
    for (failure, what) in failures
        .iter()
        .zip(["the sweep of", "stale multipart uploads of"])
    {
        let what = format!("{what} a-bucket-that-is-gone");
        assert_eq!(failure["what"], what.as_str(), "{summary:#}");
        assert!(
            failure["error"].as_str().is_some_and(|why| !why.is_empty()),
            "{summary:#}"
        );
    }
}
