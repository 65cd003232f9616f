//! TLS of the HTTP server.

use std::convert::Infallible;
use std::path::PathBuf;

use super::reader::{Reader, Section};
use super::variable::Variable;
use super::variables::{BROKER_TLS_CERT, BROKER_TLS_KEY};

/// The certificate files of the HTTP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate and its chain, in PEM.
    pub certificate: PathBuf,
    /// The private key of the certificate, in PEM.
    pub key: PathBuf,
}

/// The certificate files; `None` if TLS is not used.
impl Section for Option<Tls> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let certificate = reader.optional(&BROKER_TLS_CERT, path)?;
        let key = reader.optional(&BROKER_TLS_KEY, path)?;
        let mut lacks = |missing: &Variable, other: &Variable| {
            reader.fault(missing, format!("must be set together with {}", other.name));
            None
        };
        match (certificate, key) {
            (Some(certificate), Some(key)) => Some(Some(Tls { certificate, key })),
            (None, None) => Some(None),
            (Some(_), None) => lacks(&BROKER_TLS_KEY, &BROKER_TLS_CERT),
            (None, Some(_)) => lacks(&BROKER_TLS_CERT, &BROKER_TLS_KEY),
        }
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    text.parse().map_err(|never: Infallible| match never {})
}
