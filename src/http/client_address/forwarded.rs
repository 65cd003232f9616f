//! What proxies write of those who came to them, and how. Every hop is read to an address or to nothing:
//! one that is left out would put a stranger's word in the place of a proxy's.

use std::net::{IpAddr, SocketAddr};

/// The `for` of each element of `Forwarded` (RFC 7239, section 4).
pub(super) fn standard(value: &str) -> Vec<Option<IpAddr>> {
    let nodes = parameters(value, "for").into_iter();
    nodes.map(|node| address(&node?)).collect()
}

/// Whether the `proto` of each element of `Forwarded` is https.
pub(super) fn standard_tls(value: &str) -> Vec<Option<bool>> {
    let schemes = parameters(value, "proto").into_iter();
    schemes.map(|scheme| Some(is_tls(&scheme?))).collect()
}

/// One parameter of each element of `Forwarded`; nothing of one that does not say it, or says two
/// things.
fn parameters(value: &str, wanted: &str) -> Vec<Option<String>> {
    let elements = split(value, ',').into_iter();
    elements
        .filter(|element| !element.trim().is_empty())
        .map(|element| {
            let pairs = split(element, ';');
            let mut values = pairs.iter().filter_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case(wanted).then_some(value)
            });
            match (values.next(), values.next()) {
                (Some(value), None) => unquoted(value.trim()),
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

/// Whether each scheme of `X-Forwarded-Proto` is https.
pub(super) fn common_tls(value: &str) -> Vec<Option<bool>> {
    let schemes = value.split(',').map(str::trim);
    let schemes = schemes.filter(|scheme| !scheme.is_empty());
    schemes.map(|scheme| Some(is_tls(scheme))).collect()
}

/// The case of a scheme does not matter (RFC 3986, section 3.1).
fn is_tls(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https")
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
