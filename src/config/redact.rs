//! What may be shown of a value.

use url::Url;

use super::variable::Show;

pub(super) const HIDDEN: &str = "***";

/// `value` as far as it may be shown.
pub(super) fn shown(show: Show, value: &str) -> String {
    match show {
        Show::Plain => value.to_owned(),
        Show::Url => url(value),
        Show::Secret => HIDDEN.to_owned(),
    }
}

/// A URL without its password, whether that stands before the host or in the query (libpq allows
/// both). Text that cannot be read as a URL is hidden whole: where its password is, nobody knows.
fn url(value: &str) -> String {
    let Ok(mut url) = Url::parse(value) else {
        return HIDDEN.to_owned();
    };
    if url.cannot_be_a_base() {
        return HIDDEN.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    if let Some(query) = url.query() {
        let query: Vec<String> = query.split('&').map(pair).collect();
        url.set_query(Some(&query.join("&")));
    }
    url.to_string()
}

fn pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((key, _)) if !HARMLESS.contains(&key) => format!("{key}={HIDDEN}"),
        Some(_) => pair.to_owned(),
        None => HIDDEN.to_owned(),
    }
}

/// Parameters of a Postgres URL that hold no secret. Any other is hidden.
const HARMLESS: &[&str] = &[
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "options",
    "port",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];
