//! What proxies write of those who came to them. Every hop is read to an address or to nothing:
//! one that is left out would put a stranger's word in the place of a proxy's.

use std::net::{IpAddr, SocketAddr};

/// The `for` of each element of `Forwarded` (RFC 7239, section 4).
pub(super) fn standard(value: &str) -> Vec<Option<IpAddr>> {
    let elements = split(value, ',').into_iter();
    elements
        .filter(|element| !element.trim().is_empty())
        .map(|element| {
            let pairs = split(element, ';');
            let mut nodes = pairs.iter().filter_map(|pair| {
                let (name, node) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case("for").then_some(node)
            });
            match (nodes.next(), nodes.next()) {
                (Some(node), None) => address(&unquoted(node.trim())?),
                // A proxy that does not say, or says two things.
                _ => None,
            }
        })
        .collect()
}

/// The addresses of `X-Forwarded-For`.
pub(super) fn common(value: &str) -> Vec<Option<IpAddr>> {
    let hops = value.split(',').map(str::trim);
    hops.filter(|hop| !hop.is_empty()).map(address).collect()
}

/// An address, with or without a port and brackets; nothing for `unknown` and for hidden names.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node
        .strip_prefix('[')
        .and_then(|node| node.strip_suffix(']'))
        .unwrap_or(node);
    let socket = || node.parse().map(|socket: SocketAddr| socket.ip());
    bare.parse().or_else(|_| socket()).ok()
}

/// At `separator`, but not inside of quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c: char| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        c == separator && !quoted
    })
    .collect()
}

/// A token as it stands, or what is quoted (RFC 9110, section 5.6.4); nothing for half a quote.
fn unquoted(text: &str) -> Option<String> {
    let Some(rest) = text.strip_prefix('"') else {
        return Some(text.to_owned());
    };
    let inner = rest.strip_suffix('"')?;
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => letters.next()?,
            letter => letter,
        });
    }
    Some(plain)
}
