//! Certificate authorities that are trusted in addition to those of the system.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, HttpClientError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Why a CA bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        #[source]
        source: std::io::Error,
    },
    /// The file has no certificate, or an invalid one.
    #[error("{} is not a PEM file of certificates", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// The TLS library refuses the certificates.
    #[error("the TLS library refuses these certificates")]
    Tls(#[from] HttpClientError),
}

/// Certificates of authorities that are trusted in addition to those of the system.
#[derive(Clone, Debug)]
pub struct CaBundle {
    pem: Vec<u8>,
}

impl CaBundle {
    /// Reads a PEM file (RFC 7468) with one or more certificates.
    ///
    /// # Errors
    /// The file cannot be read, or is not a PEM file of certificates.
    pub fn read(path: &Path) -> Result<Self, TrustError> {
        let pem = std::fs::read(path).map_err(|source| TrustError::Read {
            path: path.to_owned(),
            source,
        })?;
        // The HTTP client of the SDK does not check what it is given.
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let added = certificate.ok().and_then(|one| roots.add(one).ok());
            added.ok_or_else(|| not_pem(path))?;
        }
        match roots.is_empty() {
            true => Err(not_pem(path)),
            false => Ok(Self { pem }),
        }
    }

    /// Creates an HTTP client for the AWS SDK that trusts these authorities.
    ///
    /// # Errors
    /// The TLS library refuses the certificates.
    pub fn http_client(&self) -> Result<SharedHttpClient, TrustError> {
        let roots = TrustStore::default().with_pem_certificate(self.pem.as_slice());
        let context = TlsContext::builder().with_trust_store(roots).build()?;
        Ok(Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context)
            .build_https())
    }

    /// The certificates in PEM format, for another HTTP client.
    pub(super) fn pem(&self) -> &[u8] {
        &self.pem
    }
}

fn not_pem(path: &Path) -> TrustError {
    TrustError::NotPem {
        path: path.to_owned(),
    }
}
