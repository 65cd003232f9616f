//! Splits Postgres URLs that name several hosts, as libpq reads them:
//! `postgres://user@one:5432,two:5432/db`. Other URL parsers accept only one host.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS>

/// Splits a URL into the text before the hosts, the hosts with their ports, and the text after
/// them. Returns `None` if the text does not have the form of a URL.
pub(in crate::config) fn split(url: &str) -> Option<(&str, &str, &str)> {
    let authority = url.find("://")?.checked_add(3)?;
    let (scheme, rest) = url.split_at_checked(authority)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, _) = rest.split_at_checked(end)?;
    let hosts = authority
        .rsplit_once('@')
        .map_or(authority, |(_, hosts)| hosts);
    let before = scheme.len() + authority.len() - hosts.len();
    let (before, rest) = url.split_at_checked(before)?;
    let (hosts, after) = rest.split_at_checked(hosts.len())?;
    Some((before, hosts, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_returns_login_hosts_and_rest() {
        for (url, parts) in [
            (
                "postgres://me:a,b@one:1,[::1]:2/db?host=x,y",
                Some(("postgres://me:a,b@", "one:1,[::1]:2", "/db?host=x,y")),
            ),
            ("postgres://one", Some(("postgres://", "one", ""))),
            ("postgres:///db", Some(("postgres://", "", "/db"))),
            ("one two", None),
        ] {
            assert_eq!(split(url), parts, "{url}");
        }
    }
}
