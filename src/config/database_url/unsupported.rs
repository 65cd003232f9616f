//! Options of Postgres URLs that other tools support, and what to use instead.

/// The options of libpq and of other drivers, with the advice for each.
const KNOWN: &[(&str, &str)] = &[
    (
        "pgbouncer",
        "leave it out; a pooler must be in session mode",
    ),
    ("prepareThreshold", "leave it out: statements are prepared"),
    (
        "statement_cache_size",
        "leave it out: statements are prepared",
    ),
    ("schema", "write options=-c%20search_path%3DNAME"),
    ("currentSchema", "write options=-c%20search_path%3DNAME"),
    ("search_path", "write options=-c%20search_path%3DNAME"),
    ("gssencmode", "leave it out: the broker never uses GSSAPI"),
    (
        "gssdelegation",
        "leave it out: the broker never uses GSSAPI",
    ),
    ("gsslib", "leave it out: the broker never uses GSSAPI"),
    ("krbsrvname", "leave it out: the broker never uses GSSAPI"),
    ("require_auth", "leave it out"),
    ("requiressl", "write sslmode=require"),
    ("ssl", "write sslmode=require, or sslmode=verify-full"),
    ("sslaccept", "write sslmode=verify-full, or sslmode=require"),
    (
        "sslcert",
        "client certificates are not supported: use a password",
    ),
    (
        "sslkey",
        "client certificates are not supported: use a password",
    ),
    (
        "sslidentity",
        "client certificates are not supported: use a password",
    ),
    (
        "sslpassword",
        "client certificates are not supported: use a password",
    ),
    (
        "sslcertmode",
        "client certificates are not supported: use a password",
    ),
    ("sslcrl", "revocation lists are not supported: leave it out"),
    (
        "sslcrldir",
        "revocation lists are not supported: leave it out",
    ),
    ("sslsni", "leave it out: the host name is always sent"),
    ("sslcompression", "leave it out: TLS is never compressed"),
    (
        "ssl_min_protocol_version",
        "leave it out: TLS 1.2 is the oldest",
    ),
    (
        "ssl_max_protocol_version",
        "leave it out: TLS 1.3 is the newest",
    ),
    ("client_encoding", "leave it out: it is always UTF8"),
    ("replication", "leave it out"),
    (
        "service",
        "write the host, the database and the user into the URL",
    ),
    (
        "servicefile",
        "write the host, the database and the user into the URL",
    ),
    ("passfile", "write the password into the URL"),
    ("fallback_application_name", "write application_name"),
    ("connection_limit", "set BROKER_DB_POOL_SIZE"),
    ("pool_size", "set BROKER_DB_POOL_SIZE"),
    ("max_connections", "set BROKER_DB_POOL_SIZE"),
    ("pool_max_conns", "set BROKER_DB_POOL_SIZE"),
    ("pool_timeout", "set BROKER_DB_POOL_WAIT_SECONDS"),
    ("socket_timeout", "set BROKER_DB_STATEMENT_TIMEOUT_SECONDS"),
    (
        "statement_timeout",
        "set BROKER_DB_STATEMENT_TIMEOUT_SECONDS",
    ),
    ("connectTimeout", "write connect_timeout"),
];

/// The error for an unsupported option. A name that cannot be an option is not shown, because it
/// may be part of a password.
pub(super) fn advice(name: &str) -> String {
    if let Some((_, instead)) = KNOWN.iter().find(|(known, _)| *known == name) {
        return format!("must not have the option {name}: {instead}");
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    match name.len() {
        1..=40 if name.bytes().all(is_name) => {
            format!(
                "must not have the option {name}: it is not an option of Postgres, leave it out"
            )
        }
        _ => "must have options of Postgres in its query, such as sslmode=verify-full".to_owned(),
    }
}
