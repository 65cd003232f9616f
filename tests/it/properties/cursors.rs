//! Cursors: an encoded cursor is decoded to itself, and changed ones are rejected or harmless.

use proptest::collection::vec;
use proptest::prelude::*;
use upload_broker::domain::page::Cursor;
use upload_broker::http::extract::query::Params;
use uuid::Uuid;

use super::text;
use crate::support::app::App;

const NAMES: &[&str] = &["prefix", "status", "limit", "cursor"];

fn cursor() -> impl Strategy<Value = Cursor> {
    prop_oneof![
        any::<u128>().prop_map(|id| Cursor::Upload(Uuid::from_u128(id))),
        any::<u128>().prop_map(|id| Cursor::Audit(Uuid::from_u128(id))),
        (text(), text(), any::<bool>()).prop_map(|(token, prefix, folders)| Cursor::Listing {
            token,
            prefix,
            folders
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cursor_decodes_to_what_was_encoded(cursor in cursor()) {
        let text = cursor.encode();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        prop_assert_eq!(Cursor::decode(&text), Some(cursor));
    }

    /// If a random text is accepted as a cursor, that cursor encodes and decodes to itself.
    #[test]
    fn random_text_accepted_as_cursor_round_trips(text in prop_oneof!["[A-Za-z0-9_-]{0,80}", ".{0,40}"]) {
        if let Some(cursor) = Cursor::decode(&text) {
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
    }

    /// The link to the next page contains the same query, whatever its filters are.
    #[test]
    fn next_link_repeats_the_query_with_the_cursor(
        prefix in "[^\\p{Cc}]{0,20}",
        statuses in vec("[^\\p{Cc}]{0,8}", 0..3),
        next in cursor(),
    ) {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("prefix", &prefix);
        query.extend_pairs(statuses.iter().map(|status| ("status", status)));
        let asked = Params::parse(&query.finish(), NAMES).expect("a query");
        let link = asked.link_to_next("/uploads", &next);
        let target = link.strip_prefix("</uploads?").and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
        let again = Params::parse(target.expect("a link"), NAMES).expect("a query");
        prop_assert_eq!(again.one("prefix").ok().flatten(), Some(prefix.as_str()));
        prop_assert!(again.all("status").eq(statuses.iter().map(String::as_str)));
        prop_assert_eq!(again.cursor().ok().flatten(), Some(next));
    }
}

/// A real cursor with one character changed is rejected or returns a page. It never causes a 5xx.
#[tokio::test]
async fn changed_or_foreign_cursor_never_causes_a_server_error() {
    let app = App::start().await;
    for n in 0..3 {
        app.bucket.put(&format!("{n}.csv"), "x").await;
        app.create(&format!("{n}.csv"), serde_json::json!({"overwrite": true}))
            .await;
    }
    for list in ["/uploads", "/datasets"] {
        let page = app.get(&format!("{list}?limit=1")).await.expect_ok();
        let link = page.header("link").expect("a next page");
        let (_, rest) = link.split_once("cursor=").expect("a cursor");
        let (given, _) = rest.split_once('>').expect("an end");
        for at in 0..given.len() {
            for other in ["A", "_", ""] {
                let bent = format!("{}{other}{}", &given[..at], &given[at + 1..]);
                let reply = app.get(&format!("{list}?limit=1&cursor={bent}")).await;
                if !reply.status.is_success() {
                    reply.expect_problem(422, "invalid-request");
                }
            }
        }
        for other in ["/uploads", "/datasets"]
            .into_iter()
            .filter(|other| *other != list)
        {
            let reply = app.get(&format!("{other}?cursor={given}")).await;
            reply.expect_problem(422, "invalid-request");
        }
    }
}
