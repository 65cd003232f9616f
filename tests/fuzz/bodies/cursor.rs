//! A query string with a cursor.

use upload_broker::domain::page::Cursor;
use upload_broker::http::extract::query::Params;

const NAMES: &[&str] = &["prefix", "status", "limit", "cursor"];

/// A cursor that is accepted decodes to the same value after it is encoded again, and so does the query of the
/// link to the next page.
pub fn hold(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Some(cursor) = Cursor::decode(text) {
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
    }
    let Ok(asked) = Params::parse(text, NAMES) else {
        return;
    };
    let Ok(Some(cursor)) = asked.cursor() else {
        return;
    };
    let link = asked.link_to_next("/uploads", &cursor);
    let target = link
        .strip_prefix("</uploads?")
        .and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    let Ok(again) = Params::parse(target.expect("a link"), NAMES) else {
        panic!("{text:?} links to {link:?}, which is rejected");
    };
    assert_eq!(again.cursor().ok().flatten(), Some(cursor));
    assert!(again.all("status").eq(asked.all("status")), "{link:?}");
}
