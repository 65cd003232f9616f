//! Hides secrets in values.

use url::Url;

use super::database_url::hosts;
use super::variable::Show;

pub(super) const HIDDEN: &str = "***";

/// `value`, as far as it may be shown.
pub(super) fn redact(show: Show, value: &str) -> String {
    match show {
        Show::Plain => value.to_owned(),
        Show::Url => redact_hosts(value),
        Show::Secret => HIDDEN.to_owned(),
    }
}

/// Hides the secrets of a URL that may name several hosts (see [`hosts`]). A placeholder replaces
/// the hosts while the rest is parsed.
fn redact_hosts(value: &str) -> String {
    const PLACEHOLDER: &str = "hosts.invalid";
    match hosts::split(value) {
        Some((before, hosts, after)) if hosts.contains(',') => {
            let shown = redact_url(&format!("{before}{PLACEHOLDER}{after}"));
            shown.replacen(PLACEHOLDER, hosts, 1)
        }
        _ => redact_url(value),
    }
}

/// Hides the password of a URL, whether it is before the host or in the query (libpq allows both).
/// Text that cannot be parsed as a URL is hidden completely, because its password cannot be
/// located.
fn redact_url(value: &str) -> String {
    let Ok(mut url) = Url::parse(value) else {
        return HIDDEN.to_owned();
    };
    // After the host, an at sign or a fragment may be the end of a password that is not encoded.
    let may_contain_password = url.fragment().is_some()
        || url.path().contains('@')
        || url.query().is_some_and(|query| query.contains('@'));
    if url.cannot_be_a_base() || may_contain_password {
        return HIDDEN.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(HIDDEN)).is_err() {
        return HIDDEN.to_owned();
    }
    if let Some(query) = url.query() {
        let query: Vec<String> = query.split('&').map(redact_pair).collect();
        url.set_query(Some(&query.join("&")));
    }
    url.to_string()
}

fn redact_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((key, _)) if !PUBLIC_PARAMETERS.contains(&key) => format!("{key}={HIDDEN}"),
        Some(_) => pair.to_owned(),
        None => HIDDEN.to_owned(),
    }
}

/// Parameters of a Postgres URL that contain no secret. All others are hidden.
const PUBLIC_PARAMETERS: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "load_balance_hosts",
    "options",
    "password_file",
    "pgbouncer",
    "port",
    "schema",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "user",
];
