//! Parses the headers in which proxies state the address and the scheme of their client.
//!
//! Every hop becomes an entry, `None` if it cannot be parsed. Skipping it would shift the entries,
//! and one that the client wrote would be taken for one of a proxy.

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

/// One parameter of each element of `Forwarded`. `None` for an element without it, or with more
/// than one.
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

/// Parses an address with or without port and brackets. `None` for `unknown` and for obfuscated
/// names.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node
        .strip_prefix('[')
        .and_then(|node| node.strip_suffix(']'))
        .unwrap_or(node);
    let socket = || node.parse().map(|socket: SocketAddr| socket.ip());
    bare.parse().or_else(|_| socket()).ok()
}

/// Splits at `separator`, but not inside of quotes.
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

/// Returns a token unchanged, or the content of a quoted string (RFC 9110, section 5.6.4). `None`
/// if the closing quote is missing.
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
