//! TLS to Postgres, by the `sslmode` of the URL as libpq understands it.
//!
//! `disable`, `prefer` and `require` encrypt or not without asking who is at the other end;
//! `verify-full` also checks the certificate and the host name, against `sslrootcert` or the
//! system's roots. Source: <https://www.postgresql.org/docs/current/libpq-ssl.html>

use std::path::Path;
use std::sync::Arc;

use diesel::{ConnectionError, ConnectionResult};
use percent_encoding::percent_decode_str;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use super::connect::SILENCE;
use super::error_codes::Coded;
use super::negotiate::Negotiator;
use super::watch::Watch;

/// Where to connect, and how much to trust.
pub(super) struct Target {
    config: Config,
    verify: bool,
    root_certificate: Option<String>,
}

impl Target {
    /// Reads a `postgres://` URL. `verify-full` and `sslrootcert` are libpq's words, which
    /// tokio-postgres does not know: they are taken out before it reads the rest.
    pub(super) fn parse(database_url: &str) -> ConnectionResult<Self> {
        let mut url = Url::parse(database_url).map_err(|cause| bad_url(&cause))?;
        let mut verify = false;
        let mut root_certificate = None;
        let mut rest = Vec::new();
        // Not form encoding: libpq takes a plus for a plus.
        for pair in url.query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("sslmode", "verify-full")) => {
                    verify = true;
                    rest.push("sslmode=require");
                }
                Some(("sslrootcert", path)) => {
                    root_certificate =
                        Some(percent_decode_str(path).decode_utf8_lossy().into_owned());
                }
                _ => rest.push(pair),
            }
        }
        let rest = rest.join("&");
        url.set_query((!rest.is_empty()).then_some(&rest));
        let mut config: Config = url.as_str().parse().map_err(|cause| bad_url(&cause))?;
        config
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(SILENCE / 2)
            .keepalives_interval(SILENCE / 5)
            .keepalives_retries(3);
        Ok(Self {
            config,
            verify,
            root_certificate,
        })
    }

    /// One connection that takes writes, driven under the eyes of `watch`. Its errors carry their
    /// SQLSTATE.
    pub(super) async fn connect(&self, watch: Arc<Watch>) -> ConnectionResult<Client> {
        if let [Host::Unix(folder)] = self.config.get_hosts() {
            return self.connect_in(folder, watch).await;
        }
        let tls = match self.config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(self.client_config()?)),
        };
        let mut config = self.config.clone();
        if config.get_hosts().is_empty() {
            for address in self.config.get_hostaddrs() {
                config.host(address.to_string());
            }
        }
        let negotiator = Negotiator::of(&mut config, tls);
        let (client, connection) = config.connect(negotiator).await.map_err(refused)?;
        drive(watch, connection);
        Ok(client)
    }

    /// The same by a Unix socket in `folder`, where nothing is encrypted.
    async fn connect_in(&self, folder: &Path, watch: Arc<Watch>) -> ConnectionResult<Client> {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let socket = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await;
        let socket = socket.map_err(|cause| ConnectionError::BadConnection(cause.to_string()))?;
        let mut config = self.config.clone();
        config.ssl_mode(SslMode::Disable);
        let connected = config.connect_raw(Coded::new(socket), NoTls).await;
        let (client, connection) = connected.map_err(refused)?;
        drive(watch, connection);
        let read_only = client.simple_query("SHOW transaction_read_only").await;
        let is_read_only = read_only.map_err(refused)?.iter().any(
            |message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")),
        );
        if is_read_only {
            let text = "database does not allow writes";
            return Err(ConnectionError::BadConnection(text.to_owned()));
        }
        Ok(client)
    }

    fn client_config(&self) -> ConnectionResult<ClientConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|cause| bad_tls(&cause))?;
        if self.verify {
            let roots = self.roots()?;
            return Ok(builder.with_root_certificates(roots).with_no_client_auth());
        }
        Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth())
    }

    fn roots(&self) -> ConnectionResult<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let Some(path) = &self.root_certificate else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(bad_roots(path))? {
            let certificate = certificate.map_err(bad_roots(path))?;
            roots.add(certificate).map_err(bad_roots(path))?;
        }
        if roots.is_empty() {
            return Err(bad_roots(path)("it holds no certificate"));
        }
        Ok(roots)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "ends with its connection, and says so itself"
)]
fn drive<S, T>(watch: Arc<Watch>, connection: Connection<S, T>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    T: TlsStream + Send + Unpin + 'static,
{
    tokio::spawn(watch.drive(connection));
}

fn bad_url(cause: &dyn std::error::Error) -> ConnectionError {
    ConnectionError::InvalidConnectionUrl(cause.to_string())
}

fn bad_tls(cause: &dyn std::error::Error) -> ConnectionError {
    ConnectionError::BadConnection(format!("TLS: {cause}"))
}

fn bad_roots<E: std::fmt::Display>(path: &str) -> impl Fn(E) -> ConnectionError {
    move |cause| ConnectionError::BadConnection(format!("TLS: sslrootcert={path}: {cause}"))
}

fn refused(cause: tokio_postgres::Error) -> ConnectionError {
    let mut text = cause.to_string();
    if let Some(source) = std::error::Error::source(&cause) {
        text = format!("{text}: {source}");
    }
    ConnectionError::BadConnection(text)
}

/// Accepts whoever answers, as `sslmode=require` says: the line is encrypted, the peer unknown.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_of_libpq_are_taken_out() {
        let url = "postgres://me:a+b%2F@db.example/broker?sslmode=verify-full&sslrootcert=/a+b&application_name=x%20y";
        let target = Target::parse(url).unwrap();
        assert_eq!(target.config.get_password(), Some(&b"a+b/"[..]));
        assert_eq!(target.config.get_application_name(), Some("x y"));
        assert_eq!(target.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(target.root_certificate.as_deref(), Some("/a+b"));
        assert!(target.verify);
    }
}
