//! What may be shown of a value.

use url::Url;

use super::database_url::hosts;
use super::variable::Show;

pub(super) const HIDDEN: &str = "***";

/// `value` as far as it may be shown.
pub(super) fn shown(show: Show, value: &str) -> String {
    match show {
        Show::Plain => value.to_owned(),
        Show::Url => every_host(value),
        Show::Secret => HIDDEN.to_owned(),
    }
}

/// A URL that may name several hosts (see [`hosts`]): a stand-in takes their place while the rest
/// is looked at.
fn every_host(value: &str) -> String {
    const STAND_IN: &str = "hosts.invalid";
    match hosts::split(value) {
        Some((before, hosts, after)) if hosts.contains(',') => {
            let shown = url(&format!("{before}{STAND_IN}{after}"));
            shown.replacen(STAND_IN, hosts, 1)
        }
        _ => url(value),
    }
}

/// A URL without its password, whether that stands before the host or in the query (libpq allows
/// both). Text that cannot be read as a URL is hidden whole: where its password is, nobody knows.
fn url(value: &str) -> String {
    let Ok(mut url) = Url::parse(value) else {
        return HIDDEN.to_owned();
    };
    // Behind the host, an at sign or a fragment may be the end of a password that is not encoded.
    let is_odd = url.fragment().is_some()
        || url.path().contains('@')
        || url.query().is_some_and(|query| query.contains('@'));
    if url.cannot_be_a_base() || is_odd {
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
    "channel_binding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "load_balance_hosts",
    "options",
    "pgbouncer",
    "port",
    "schema",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "user",
];
