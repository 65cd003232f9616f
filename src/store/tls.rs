//! Connections to one host of Postgres, with TLS as the `sslmode` of the URL demands. The meaning
//! of `sslmode` is that of libpq.
//!
//! `disable`, `prefer` and `require` do not check the identity of the server. `verify-ca` checks
//! its certificate against `sslrootcert` or the roots of the system, and `verify-full` also checks
//! the host name in the certificate.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-ssl.html>

use diesel::{ConnectionError, ConnectionResult};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_postgres::config::{
    ChannelBinding, Host, LoadBalanceHosts, SslMode, SslNegotiation, TargetSessionAttrs,
};
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::certificates::RelaxedVerifier;
use super::error_codes::SqlstateStream;
use super::negotiate::Negotiator;
use super::watchdog::Watchdog;
use crate::config::{self, DatabaseOptions, DatabaseServer, DatabaseUrl, Roots, TlsMode};

/// How long the kernel waits for a silent peer: for the acknowledgement of sent bytes, or for an
/// answer to keepalives. Without this, a peer that disappeared is detected after two hours.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);

/// The address of a server, and how to verify its identity.
#[derive(Debug)]
pub(super) struct Target {
    config: Config,
    /// Read for each connection, because the password may be rotated.
    password_file: Option<String>,
    tls: TlsMode,
    roots: Roots,
}

impl Target {
    /// Returns one target for each server of a URL, in the same order.
    pub(super) fn each(url: &DatabaseUrl) -> Vec<Self> {
        let servers = url.servers().iter();
        servers
            .map(|server| Self::new(server, url.options()))
            .collect()
    }

    fn new(server: &DatabaseServer, options: &DatabaseOptions) -> Self {
        let mut config = Config::new();
        config.host(&server.host).port(server.port);
        server.address.map(|address| config.hostaddr(address));
        (options.user.as_ref()).map(|user| config.user(user));
        (options.password.as_ref()).map(|password| config.password(password.expose_secret()));
        (options.database.as_ref()).map(|name| config.dbname(name));
        (options.options.as_ref()).map(|options| config.options(options));
        (options.application_name.as_ref()).map(|name| config.application_name(name));
        (options.connect_timeout).map(|time| config.connect_timeout(time));
        // A Unix socket does not leave the machine, and libpq does not use TLS on it either.
        let tls = match server.host.starts_with('/') {
            true => TlsMode::Disable,
            false => options.tls,
        };
        config
            .ssl_mode(match tls {
                TlsMode::Disable => SslMode::Disable,
                TlsMode::Prefer => SslMode::Prefer,
                TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
            })
            .ssl_negotiation(match options.direct_tls {
                true => SslNegotiation::Direct,
                false => SslNegotiation::Postgres,
            })
            .channel_binding(match options.channel_binding {
                config::ChannelBinding::Disable => ChannelBinding::Disable,
                config::ChannelBinding::Prefer => ChannelBinding::Prefer,
                config::ChannelBinding::Require => ChannelBinding::Require,
            })
            .load_balance_hosts(match options.random_address_order {
                true => LoadBalanceHosts::Random,
                false => LoadBalanceHosts::Disable,
            })
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .tcp_user_timeout(PEER_TIMEOUT)
            .keepalives_idle(PEER_TIMEOUT / 2)
            .keepalives_interval(PEER_TIMEOUT / 5)
            .keepalives_retries(3);
        Self {
            config,
            password_file: options.password_file.clone(),
            tls,
            roots: options.roots.clone(),
        }
    }

    /// Opens a connection that accepts writes. It is driven by a task of `watchdog`, and its errors
    /// carry their SQLSTATE.
    pub(super) async fn connect(&self, watchdog: Arc<Watchdog>) -> ConnectionResult<Client> {
        if let [Host::Unix(folder)] = self.config.get_hosts() {
            return self.connect_unix(folder, watchdog).await;
        }
        let tls = match self.config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(self.client_config()?)),
        };
        let mut config = self.config_with_password()?;
        if config.get_hosts().is_empty() {
            for address in self.config.get_hostaddrs() {
                config.host(address.to_string());
            }
        }
        let negotiator = Negotiator::new(&mut config, tls);
        let (client, connection) = config.connect(negotiator).await.map_err(connect_failed)?;
        drive(watchdog, connection);
        Ok(client)
    }

    /// Connects to the Unix socket in `folder`, without encryption.
    async fn connect_unix(
        &self,
        folder: &Path,
        watchdog: Arc<Watchdog>,
    ) -> ConnectionResult<Client> {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let socket = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await;
        let socket = socket.map_err(|cause| ConnectionError::BadConnection(cause.to_string()))?;
        let mut config = self.config_with_password()?;
        config.ssl_mode(SslMode::Disable);
        let connected = config.connect_raw(SqlstateStream::new(socket), NoTls).await;
        let (client, connection) = connected.map_err(connect_failed)?;
        drive(watchdog, connection);
        let read_only = client.simple_query("SHOW transaction_read_only").await;
        let is_read_only = read_only.map_err(connect_failed)?.iter().any(
            |message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("on")),
        );
        if is_read_only {
            let text = "the database does not accept writes";
            return Err(ConnectionError::BadConnection(text.to_owned()));
        }
        Ok(client)
    }

    /// The configuration with the current password. A line break at the end of the file is not part
    /// of the password.
    fn config_with_password(&self) -> ConnectionResult<Config> {
        let mut config = self.config.clone();
        if let Some(path) = &self.password_file {
            let text = std::fs::read_to_string(path).map(SecretString::from);
            let text = text.map_err(|cause| {
                ConnectionError::BadConnection(format!("password_file={path}: {cause}"))
            })?;
            config.password(text.expose_secret().trim_end_matches(['\r', '\n']));
        }
        Ok(config)
    }

    fn client_config(&self) -> ConnectionResult<ClientConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|cause| tls_error(&cause))?;
        let verifier: Arc<dyn ServerCertVerifier> = match self.tls {
            TlsMode::VerifyFull => {
                let roots = self.roots()?;
                return Ok(builder.with_root_certificates(roots).with_no_client_auth());
            }
            TlsMode::VerifyCa => {
                let roots = Arc::new(self.roots()?);
                let verifier = RelaxedVerifier::any_host_name(roots, provider);
                Arc::new(verifier.map_err(|cause| tls_error(&cause))?)
            }
            TlsMode::Disable | TlsMode::Prefer | TlsMode::Require => {
                Arc::new(RelaxedVerifier::any_certificate(provider))
            }
        };
        Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth())
    }

    fn roots(&self) -> ConnectionResult<RootCertStore> {
        let mut roots = RootCertStore::empty();
        let Roots::File(path) = &self.roots else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(invalid_roots(path))? {
            let certificate = certificate.map_err(invalid_roots(path))?;
            roots.add(certificate).map_err(invalid_roots(path))?;
        }
        if roots.is_empty() {
            return Err(invalid_roots(path)("it contains no certificate"));
        }
        Ok(roots)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the task ends with its connection, and logs why"
)]
fn drive<S, T>(watchdog: Arc<Watchdog>, connection: Connection<S, T>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    T: TlsStream + Send + Unpin + 'static,
{
    tokio::spawn(watchdog.drive(connection));
}

fn tls_error(cause: &dyn std::error::Error) -> ConnectionError {
    ConnectionError::BadConnection(format!("TLS: {cause}"))
}

fn invalid_roots<E: std::fmt::Display>(path: &str) -> impl Fn(E) -> ConnectionError {
    move |cause| ConnectionError::BadConnection(format!("TLS: sslrootcert={path}: {cause}"))
}

fn connect_failed(cause: tokio_postgres::Error) -> ConnectionError {
    let mut text = cause.to_string();
    if let Some(source) = std::error::Error::source(&cause) {
        text = format!("{text}: {source}");
    }
    ConnectionError::BadConnection(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_options_are_passed_to_the_driver() {
        let url = "postgres://me:a+b%2F@one:5433,two/broker?sslmode=verify-full&sslrootcert=/a+b&application_name=x%20y";
        let targets = Target::each(&DatabaseUrl::parse(url).unwrap());
        let ports: Vec<_> = targets
            .iter()
            .map(|target| target.config.get_ports())
            .collect();
        assert_eq!(ports, [[5433], [5432]]);
        for target in &targets {
            assert_eq!(target.config.get_password(), Some(&b"a+b/"[..]));
            assert_eq!(target.config.get_dbname(), Some("broker"));
            assert_eq!(target.config.get_application_name(), Some("x y"));
            assert_eq!(target.config.get_ssl_mode(), SslMode::Require);
            assert_eq!(target.roots, Roots::File("/a+b".to_owned()));
            assert_eq!(target.tls, TlsMode::VerifyFull);
        }
    }
}
