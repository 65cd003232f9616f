//! Checks the URL of an endpoint.
//!
//! Only what the URL itself says is checked here. The addresses of a host name are checked at each
//! connection, because they may change.

use url::Url;

use crate::domain::public_address::has_private_address;
use crate::domain::refusal::Refusal;

/// The longest URL, in bytes.
const MAX_BYTES: usize = 2_048;

/// Parses the URL of an endpoint. With `allow_private`, `http` and addresses that are not public are
/// allowed.
pub(super) fn parse(text: &str, allow_private: bool) -> Result<Url, Refusal> {
    let refused = |detail: &str| Err(Refusal::field("/url", detail));
    let Ok(url) = Url::parse(text) else {
        return refused("expected a URL, such as https://example.com/events");
    };
    if url.as_str().len() > MAX_BYTES {
        return refused("expected at most 2,048 bytes");
    }
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        _ => return refused("expected https (http needs BROKER_WEBHOOKS_ALLOW_PRIVATE=true)"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("expected no credentials: the signature authenticates the broker");
    }
    if url.fragment().is_some() {
        return refused("expected no fragment");
    }
    if url.host().is_none() {
        return refused("expected a host");
    }
    if has_private_address(&url) && !allow_private {
        return refused(
            "expected a public address (others need BROKER_WEBHOOKS_ALLOW_PRIVATE=true)",
        );
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_https_urls_are_accepted() {
        for text in [
            "https://example.com/events?team=a",
            "https://example.com:8443",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]/",
        ] {
            assert!(parse(text, false).is_ok(), "{text}");
        }
    }

    #[test]
    fn other_urls_are_refused_whatever_their_spelling() {
        for text in [
            "events",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user@example.com/",
            "https://:password@example.com/",
            "https://example.com/#part",
        ] {
            assert!(parse(text, true).is_err(), "{text}");
        }
        for text in [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.0.0.1/",
            "https://2130706433/",
            "https://0/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00:ec2::254]/",
        ] {
            assert!(parse(text, false).is_err(), "{text}");
            assert!(parse(text, true).is_ok(), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_BYTES));
        assert!(parse(&long, true).is_err());
    }
}
