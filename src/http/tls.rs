//! TLS of the listener: the server certificate, and its replacement while the process runs.
//!
//! Certificate and key are replaced together: if a file cannot be read, or the key does not belong
//! to the certificate, the old pair stays in use. Open connections keep the certificate of their
//! handshake.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Error as DerError};
use zeroize::Zeroizing;

use crate::config::Tls;
use crate::domain::event::timestamp;

/// The number of days before its expiry from which on there is a warning about a certificate.
const WARNING_DAYS: i64 = 14;

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{variable}={}: cannot be read", path.display())]
    File {
        /// The setting that names the file.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// A file does not have the expected content.
    #[error("{variable}={}: holds no {wanted} in PEM", path.display())]
    Content {
        /// The setting that names the file.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// The expected content.
        wanted: &'static str,
    },
    /// The key does not belong to the certificate, or their kind is not supported.
    #[error(
        "the key in BROKER_TLS_KEY does not belong to the certificate in BROKER_TLS_CERT, or is not supported"
    )]
    Pair(#[source] rustls::Error),
    /// The validity of the certificate cannot be parsed.
    #[error("BROKER_TLS_CERT={}: cannot be parsed as a certificate", path.display())]
    Validity {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: DerError,
    },
    /// The TLS library cannot be configured.
    #[error("TLS cannot be configured")]
    Setup(#[source] rustls::Error),
}

/// The validity period of a certificate (RFC 5280, section 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The start of the period.
    pub begins_at: DateTime<Utc>,
    /// The end of the period.
    pub ends_at: DateTime<Utc>,
}

impl Validity {
    /// The number of whole days from `now` to the end. It is negative from one day after the end.
    pub fn days_left(self, now: DateTime<Utc>) -> i64 {
        (self.ends_at - now).num_days()
    }

    /// Why clients reject the certificate at `now`, or soon will. `None` if it is valid for longer.
    pub fn fault(self, now: DateTime<Utc>) -> Option<ValidityFault> {
        if now < self.begins_at {
            Some(ValidityFault::NotYet(self.begins_at))
        } else if self.ends_at < now {
            Some(ValidityFault::Expired(self.ends_at))
        } else if self.days_left(now) < WARNING_DAYS {
            Some(ValidityFault::EndsSoon(self.ends_at, self.days_left(now)))
        } else {
            None
        }
    }
}

/// A fault of a validity period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidityFault {
    /// The period starts only at this time. Clients reject the certificate.
    NotYet(DateTime<Utc>),
    /// The period ended at this time. Clients reject the certificate.
    Expired(DateTime<Utc>),
    /// The period ends at this time, in this number of days.
    EndsSoon(DateTime<Utc>, i64),
}

impl fmt::Display for ValidityFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet(at) => write!(f, "is not valid before {}", timestamp(*at)),
            Self::Expired(at) => write!(f, "has expired at {}", timestamp(*at)),
            Self::EndsSoon(at, days) => {
                write!(f, "expires at {}, in {days} days", timestamp(*at))
            }
        }
    }
}

/// The certificate and key that the listener uses.
#[derive(Debug)]
pub struct ServerCertificate {
    files: Tls,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

impl ServerCertificate {
    /// Reads certificate and key from their files.
    ///
    /// # Errors
    /// If a file cannot be read, or the two do not belong together.
    pub fn load(files: &Tls) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = read(files, &provider)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            provider,
            current: ArcSwap::from_pointee(pair),
        }))
    }

    /// Reads the files again. After an error, the old pair stays in use.
    ///
    /// # Errors
    /// If a file cannot be read, or the two do not belong together.
    pub fn reload(&self) -> Result<(), TlsError> {
        let pair = read(&self.files, &self.provider)?;
        self.current.store(Arc::new(pair));
        Ok(())
    }

    /// The validity period of the current certificate.
    ///
    /// # Errors
    /// If the certificate is accepted by the TLS library, but cannot be parsed here.
    pub fn validity(&self) -> Result<Validity, TlsError> {
        let current = self.current.load();
        let first = current.cert.first().map(|first| first.as_ref());
        let read = Certificate::from_der(first.unwrap_or_default());
        let read = read.map_err(|cause| TlsError::Validity {
            path: self.files.certificate.clone(),
            cause,
        })?;
        let validity = read.tbs_certificate.validity;
        Ok(Validity {
            begins_at: validity.not_before.to_system_time().into(),
            ends_at: validity.not_after.to_system_time().into(),
        })
    }

    /// Logs a warning if clients reject the current certificate at `now`, or soon will. It is used
    /// anyway, so that clients see why they reject it.
    pub fn warn(&self, now: DateTime<Utc>) {
        let path = self.files.certificate.display();
        match self.validity().map(|validity| validity.fault(now)) {
            Ok(None) => {}
            Ok(Some(fault)) => {
                log::warn!("BROKER_TLS_CERT={path} {fault}: renew it, then send SIGHUP");
            }
            Err(error) => log::warn!("{error}"),
        }
    }

    /// Makes an acceptor that uses the certificate that is current at each handshake. It supports
    /// TLS 1.2 and 1.3 with HTTP/1.1.
    ///
    /// # Errors
    /// If the TLS library rejects its own defaults.
    pub fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let mut config = builder
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(files: &Tls, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let (variable, path) = ("BROKER_TLS_CERT", &files.certificate);
    let content = |variable, path: &Path, wanted| TlsError::Content {
        variable,
        path: path.to_owned(),
        wanted,
    };
    let pem = bytes(variable, path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| content(variable, path, "certificate"))?;
    let (variable, path) = ("BROKER_TLS_KEY", &files.key);
    let pem = bytes(variable, path)?;
    let key =
        PrivateKeyDer::from_pem_slice(&pem).map_err(|_| content(variable, path, "private key"))?;
    CertifiedKey::from_der(chain, key, provider).map_err(TlsError::Pair)
}

/// Reads a whole file into memory that is wiped afterwards, because the file may contain a key.
fn bytes(variable: &'static str, path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    fs::read(path)
        .map(Zeroizing::new)
        .map_err(|cause| TlsError::File {
            variable,
            path: path.to_owned(),
            cause,
        })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn fault_reports_certificates_within_14_days_of_expiry() {
        let ends_at = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let begins_at = ends_at - TimeDelta::days(90);
        let validity = Validity { begins_at, ends_at };
        let at = |days, seconds| {
            let now = ends_at - TimeDelta::days(days) - TimeDelta::seconds(seconds);
            validity.fault(now)
        };
        assert_eq!(at(14, 0), None);
        assert_eq!(at(13, 86_399), Some(ValidityFault::EndsSoon(ends_at, 13)));
        assert_eq!(at(0, 0), Some(ValidityFault::EndsSoon(ends_at, 0)));
        assert_eq!(at(0, -1), Some(ValidityFault::Expired(ends_at)));
        assert_eq!(at(90, 0), None);
        assert_eq!(at(90, 1), Some(ValidityFault::NotYet(begins_at)));
    }
}
