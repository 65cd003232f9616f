//! TLS of the listener: the certificate that is shown, and its replacement while we run.
//!
//! New files are taken as a pair or not at all: where one cannot be read, or the key is another
//! certificate's, the old pair stays in use. Connections that are open keep what they began with.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::config::Tls;

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
    /// TLS itself cannot be set up.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// The certificate that is shown now.
#[derive(Debug)]
pub struct Identity {
    files: Tls,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<CertifiedKey>,
}

impl Identity {
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

impl ResolvesServerCert for Identity {
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
