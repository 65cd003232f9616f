//! `tls`: are the connections between clients and the store encrypted?

use url::{Host, Url};

use super::context::CheckContext;
use super::verdict::Verdict;

pub(super) fn check_tls(context: &CheckContext) -> Verdict {
    if let Some(public) = &context.settings.s3.public_endpoint {
        return verdict(&public.origin().ascii_serialization());
    }
    match &context.signer {
        Ok(signer) => verdict(signer.endpoint().origin()),
        Err(why) => Verdict::failed(why, "set AWS_REGION or AWS_ENDPOINT_URL_S3"),
    }
}

fn verdict(origin: &str) -> Verdict {
    if origin.starts_with("https://") {
        return Verdict::ok("clients connect to S3 over TLS");
    }
    if is_loopback(origin) {
        return Verdict::ok(format!(
            "no TLS, but connections to {origin} do not leave this machine"
        ));
    }
    Verdict::warning(
        format!(
            "connections to {origin} are not encrypted: the bytes and the URLs can be read on the network"
        ),
        "use an endpoint with https (AWS_ENDPOINT_URL_S3, BROKER_S3_PUBLIC_ENDPOINT)",
    )
}

fn is_loopback(origin: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::State;
    use super::*;

    #[test]
    fn unencrypted_endpoint_is_a_warning_unless_it_is_loopback() {
        for (origin, state) in [
            ("https://datasets.s3.eu-west-1.amazonaws.com", State::Ok),
            ("http://127.0.0.1:9000", State::Ok),
            ("http://[::1]:9000", State::Ok),
            ("http://datasets.localhost:9000", State::Ok),
            ("http://minio.internal:9000", State::Warning),
            ("http://10.0.0.1", State::Warning),
        ] {
            assert_eq!(verdict(origin).state, state, "{origin}");
        }
    }
}
