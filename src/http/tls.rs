//! TLS of the listener: the certificate that is shown, and its replacement while we run.
//!
//! New files are taken as a pair or not at all: where one cannot be read, or the key is another
//! certificate's, the old pair stays in use. Connections that are open keep what they began with.

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

/// Days before its end from which on a certificate is complained of.
const SOON: i64 = 14;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{variable}={}: cannot be read", path.display())]
    File {
        /// The setting that names it.
        variable: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{variable}={}: holds no {wanted} in PEM", path.display())]
    Content {
        /// The setting that names it.
        variable: &'static str,
        /// Which.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// They do not belong together, or are of a kind that nobody takes.
    #[error("BROKER_TLS_CERT and BROKER_TLS_KEY are no pair")]
    Pair(#[source] rustls::Error),
    /// Nobody can tell when it begins and ends.
    #[error("BROKER_TLS_CERT={}: cannot be read as a certificate", path.display())]
    Validity {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: DerError,
    },
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// From when until when clients take a certificate (RFC 5280, section 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Not before this.
    pub begins_at: DateTime<Utc>,
    /// Nor after this.
    pub ends_at: DateTime<Utc>,
}

impl Validity {
    /// Whole days from `now` to the end; negative from a day after it on.
    pub fn days_left(self, now: DateTime<Utc>) -> i64 {
        (self.ends_at - now).num_days()
    }

    /// What clients have against it at `now`, or soon will; nothing while it is good.
    pub fn fault(self, now: DateTime<Utc>) -> Option<ValidityFault> {
        if now < self.begins_at {
            Some(ValidityFault::NotYet(self.begins_at))
        } else if self.ends_at < now {
            Some(ValidityFault::Expired(self.ends_at))
        } else if self.days_left(now) < SOON {
            Some(ValidityFault::EndsSoon(self.ends_at, self.days_left(now)))
        } else {
            None
        }
    }
}

/// What is wrong with a validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidityFault {
    /// It begins at this time only: no client takes it.
    NotYet(DateTime<Utc>),
    /// It ended at this time: no client takes it.
    Expired(DateTime<Utc>),
    /// It ends at this time, in so many days.
    EndsSoon(DateTime<Utc>, i64),
}

impl fmt::Display for ValidityFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet(at) => write!(f, "is not good before {}", timestamp(*at)),
            Self::Expired(at) => write!(f, "has expired at {}", timestamp(*at)),
            Self::EndsSoon(at, days) => {
                write!(f, "expires at {}, in {days} days", timestamp(*at))
            }
        }
    }
}

/// The certificate that is shown now.
#[derive(Debug)]
pub struct ServerCertificate {
    files: Tls,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

impl ServerCertificate {
    /// Reads the files.
    ///
    /// # Errors
    /// Files that cannot be read, or are no pair.
    pub fn load(files: &Tls) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pair = read(files, &provider)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            provider,
            current: ArcSwap::from_pointee(pair),
        }))
    }

    /// Reads the files anew. After an error everything is as before.
    ///
    /// # Errors
    /// Files that cannot be read, or are no pair.
    pub fn reload(&self) -> Result<(), TlsError> {
        let pair = read(&self.files, &self.provider)?;
        self.current.store(Arc::new(pair));
        Ok(())
    }

    /// From when until when the current certificate is good.
    ///
    /// # Errors
    /// A certificate that TLS takes and nobody else can read.
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

    /// Warns in the log where clients refuse the current certificate at `now`, or soon will. It is
    /// shown all the same: whoever looks at it learns why.
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

    /// Accepts connections with whatever certificate is current: TLS 1.2 and 1.3, HTTP/1.1.
    ///
    /// # Errors
    /// When the library refuses its own defaults.
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

/// A whole file; one may hold a key, and is not left behind in memory.
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
    fn a_certificate_is_complained_of_from_its_last_fortnight_on() {
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
