//! URLs of Postgres that name several hosts, as libpq reads them:
//! `postgres://user@one:5432,two:5432/db`. Other readers of URLs know one host.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS>

/// What stands before the hosts, the hosts with their ports, and what stands after them. Nothing
/// where the text has not the shape of a URL.
pub(super) fn split(url: &str) -> Option<(&str, &str, &str)> {
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

/// One URL a host, in their order; the URL itself where it names one.
pub(super) fn each(url: &str) -> Vec<String> {
    match split(url) {
        Some((before, hosts, after)) => (hosts.split(','))
            .map(|host| format!("{before}{host}{after}"))
            .collect(),
        None => vec![url.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        assert_eq!(
            each("postgres://me:a,b@one:1,[::1]:2/db?host=x,y"),
            [
                "postgres://me:a,b@one:1/db?host=x,y",
                "postgres://me:a,b@[::1]:2/db?host=x,y"
            ]
        );
        assert_eq!(each("postgres://one"), ["postgres://one"]);
        assert_eq!(each("postgres:///db"), ["postgres:///db"]);
        assert_eq!(each("one two"), ["one two"]);
    }
}
