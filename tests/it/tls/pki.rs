//! A certificate authority for tests, and clients that trust only this authority.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority {
            issuer: CertifiedIssuer::self_signed(params, key).expect("an authority"),
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The certificate of the authority, for clients that trust it.
    pub fn bundle(&self) -> PathBuf {
        let path = self.folder.path().join("authority.pem");
        std::fs::write(&path, self.issuer.pem()).expect("a file");
        path
    }

    /// A new certificate for `host` and its key. They overwrite files with the same name.
    pub fn files(&self, name: &str, host: &str) -> (PathBuf, PathBuf) {
        self.write(
            name,
            CertificateParams::new([host.to_owned()]).expect("a name"),
        )
    }

    /// The same for `localhost`, valid between these times.
    pub fn files_for(
        &self,
        name: &str,
        begins: DateTime<Utc>,
        ends: DateTime<Utc>,
    ) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        (params.not_before, params.not_after) = (
            SystemTime::from(begins).into(),
            SystemTime::from(ends).into(),
        );
        self.write(name, params)
    }

    fn write(&self, name: &str, params: CertificateParams) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let write = |ending: &str, text: String| {
            let path = self.folder.path().join(format!("{name}.{ending}"));
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("a mode");
            path
        };
        (
            write("pem", certificate.pem()),
            write("key", key.serialize_pem()),
        )
    }

    /// A client that resolves `localhost` to `address`.
    pub fn client(&self, address: &str) -> reqwest::Client {
        let address: SocketAddr = address.parse().expect(address);
        let root = reqwest::Certificate::from_pem(self.issuer.pem().as_bytes());
        reqwest::Client::builder()
            .tls_certs_only([root.expect("a certificate")])
            .resolve("localhost", address)
            .no_proxy()
            .build()
            .expect("a client")
    }

    /// A raw TLS connection.
    pub async fn connect(&self, address: &str) -> TlsStream<TcpStream> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        let der: &CertificateDer<'_> = self.issuer.der();
        roots.add(der.clone()).expect("a root");
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let socket = TcpStream::connect(address).await.expect("the broker");
        let name = ServerName::try_from("localhost").expect("a name");
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, socket).await.expect("a handshake")
    }

    /// The certificate that a new connection gets.
    pub async fn shown(&self, address: &str) -> Vec<u8> {
        let stream = self.connect(address).await;
        let (_, session) = stream.get_ref();
        let chain = session.peer_certificates().expect("certificates");
        chain[0].to_vec()
    }
}
