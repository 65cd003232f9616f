//! The options in the query of a Postgres URL.

use std::net::IpAddr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::SecretSlice;

use super::percent::decode;
use super::unsupported;

/// Everything in a URL except its servers.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// The role; by default named like the operating system's user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<SecretSlice<u8>>,
    /// A file that contains the password, and is read for each new connection.
    pub password_file: Option<String>,
    /// The database; by default named like the role.
    pub database: Option<String>,
    /// Command-line options of the session, such as `-c name=value`.
    pub options: Option<String>,
    /// The name in `pg_stat_activity` until the session is set up.
    pub application_name: Option<String>,
    /// Whether and how the connection is encrypted.
    pub tls: TlsMode,
    /// The trusted certificate authorities, if certificates are checked.
    pub roots: Roots,
    /// Whether TLS starts without asking the server for it first.
    pub direct_tls: bool,
    /// Whether authentication is bound to the TLS session.
    pub channel_binding: ChannelBinding,
    /// The timeout for each address of a server.
    pub connect_timeout: Option<Duration>,
    /// Whether the addresses of a host name are tried in random order.
    pub random_address_order: bool,
    pub(super) hosts: Vec<String>,
    pub(super) ports: Vec<u16>,
    pub(super) addresses: Vec<IpAddr>,
    has_mode: bool,
    system_roots: bool,
}

/// `sslmode`, with the meaning that it has in libpq.
/// Source: <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMode {
    /// No encryption.
    Disable,
    /// Encryption if the server supports it; the certificate is not checked.
    Prefer,
    /// Encryption; the certificate is not checked.
    Require,
    /// Encryption with a certificate that one of the roots has signed.
    VerifyCa,
    /// The same, and the certificate must be issued for the host.
    VerifyFull,
}

/// `sslrootcert`: the trusted certificate authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those of the operating system.
    System,
    /// Those in this PEM file.
    File(String),
}

/// `channel_binding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// If the server supports it.
    Prefer,
    /// Always.
    Require,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            user: None,
            password: None,
            password_file: None,
            database: None,
            options: None,
            application_name: None,
            tls: TlsMode::Prefer,
            roots: Roots::System,
            direct_tls: false,
            channel_binding: ChannelBinding::Prefer,
            connect_timeout: None,
            random_address_order: false,
            hosts: Vec::new(),
            ports: Vec::new(),
            addresses: Vec::new(),
            has_mode: false,
            system_roots: false,
        }
    }
}

impl DatabaseOptions {
    /// Sets one option from its percent-encoded value.
    pub(super) fn set(&mut self, name: &str, encoded: &str) -> Result<(), String> {
        if name == "password" {
            let password: Vec<u8> = percent_decode_str(encoded).collect();
            self.password = Some(password.into());
            return Ok(());
        }
        let value = decode(encoded)?;
        match name {
            "user" => self.user = Some(value),
            "password_file" => self.password_file = Some(value),
            "dbname" => self.database = Some(value),
            "options" => self.options = Some(value),
            "application_name" => self.application_name = Some(value),
            "host" => self.hosts = value.split(',').map(str::to_owned).collect(),
            "hostaddr" => self.addresses = each(name, &value, "IP addresses")?,
            "port" => self.ports = each(name, &value, "port numbers")?,
            "sslmode" => {
                self.tls = tls_mode(&value)?;
                self.has_mode = true;
            }
            "sslrootcert" => {
                self.system_roots = value == "system";
                self.roots = match self.system_roots {
                    true => Roots::System,
                    false => Roots::File(value),
                };
            }
            "sslnegotiation" => {
                let words = [("postgres", false), ("direct", true)];
                self.direct_tls = one_of(name, &value, &words)?;
            }
            "channel_binding" => {
                let words = [
                    ("disable", ChannelBinding::Disable),
                    ("prefer", ChannelBinding::Prefer),
                    ("require", ChannelBinding::Require),
                ];
                self.channel_binding = one_of(name, &value, &words)?;
            }
            "load_balance_hosts" => {
                let words = [("disable", false), ("random", true)];
                self.random_address_order = one_of(name, &value, &words)?;
            }
            "connect_timeout" => {
                let seconds = u64::try_from(integer(name, &value)?).unwrap_or(0);
                self.connect_timeout = (seconds > 0).then(|| Duration::from_secs(seconds));
            }
            // The broker needs a server that accepts writes, and always asks for one itself.
            "target_session_attrs" => {
                let words = [("any", ()), ("read-write", ()), ("primary", ())];
                one_of(name, &value, &words)?;
            }
            // The broker has its own, stricter timeouts for a server that does not respond.
            "keepalives"
            | "keepalives_idle"
            | "keepalives_interval"
            | "keepalives_count"
            | "keepalives_retries"
            | "tcp_user_timeout" => {
                integer(name, &value)?;
            }
            _ => return Err(unsupported::advice(name)),
        }
        Ok(())
    }

    /// Checks the options against each other.
    pub(super) fn validate(&mut self) -> Result<(), String> {
        if self.password.is_some() && self.password_file.is_some() {
            return Err("must not have a password beside the option password_file".to_owned());
        }
        let weak = |option: &str, mode: &str| {
            Err(format!(
                "must have sslmode={mode} or stronger beside the option {option}"
            ))
        };
        match &self.roots {
            // As in libpq, a file of roots implies that the certificate is checked.
            Roots::File(_) if self.tls == TlsMode::Require => self.tls = TlsMode::VerifyCa,
            Roots::File(_) if self.tls < TlsMode::Require => {
                return weak("sslrootcert", "require");
            }
            Roots::System if self.system_roots && !self.has_mode => self.tls = TlsMode::VerifyFull,
            Roots::System if self.system_roots && self.tls < TlsMode::VerifyFull => {
                return weak("sslrootcert=system", "verify-full");
            }
            _ => {}
        }
        if self.direct_tls && self.tls < TlsMode::Require {
            return weak("sslnegotiation=direct", "require");
        }
        if self.channel_binding == ChannelBinding::Require && self.tls < TlsMode::Require {
            return weak("channel_binding=require", "require");
        }
        Ok(())
    }
}

fn tls_mode(value: &str) -> Result<TlsMode, String> {
    Ok(match value {
        "disable" => TlsMode::Disable,
        "prefer" => TlsMode::Prefer,
        "require" => TlsMode::Require,
        "verify-ca" => TlsMode::VerifyCa,
        "verify-full" => TlsMode::VerifyFull,
        _ => {
            let instead = match value {
                "allow" => ": use prefer instead of allow",
                "no-verify" => ": use require instead of no-verify",
                _ => "",
            };
            return Err(format!(
                "must have disable, prefer, require, verify-ca or verify-full in the option sslmode{instead}"
            ));
        }
    })
}

fn one_of<T: Copy>(name: &str, value: &str, words: &[(&str, T)]) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == value);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        format!("must have {} in the option {name}", words.join(" or "))
    })
}

fn integer(name: &str, value: &str) -> Result<i64, String> {
    let number = value.parse();
    number.map_err(|_| format!("must have a whole number in the option {name}"))
}

fn each<T: std::str::FromStr>(name: &str, value: &str, what: &str) -> Result<Vec<T>, String> {
    let all: Result<_, _> = value.split(',').map(str::parse).collect();
    all.map_err(|_: T::Err| format!("must have {what} in the option {name}, comma-separated"))
}
