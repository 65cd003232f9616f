//! What the query of a Postgres URL may say.

use std::net::IpAddr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use secrecy::SecretSlice;

use super::{decode, unsupported};

/// Everything in a URL beside its servers.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// The role; that of the operating system's user where none is named.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<SecretSlice<u8>>,
    /// The database; named as the role where none is.
    pub database: Option<String>,
    /// Command-line options of the session, as `-c name=value`.
    pub options: Option<String>,
    /// What `pg_stat_activity` calls us until the session is set up.
    pub application_name: Option<String>,
    /// How the line is encrypted.
    pub tls: TlsMode,
    /// Whom certificates have to lead to, where they are checked.
    pub roots: Roots,
    /// Whether TLS begins without asking the server for it first.
    pub direct_tls: bool,
    /// Whether authentication is bound to the TLS session.
    pub channel_binding: ChannelBinding,
    /// How long each address of a server is tried.
    pub connect_timeout: Option<Duration>,
    /// Whether the addresses of a name are tried in random order.
    pub random_address_order: bool,
    pub(super) hosts: Vec<String>,
    pub(super) ports: Vec<u16>,
    pub(super) addresses: Vec<IpAddr>,
    has_mode: bool,
    system_roots: bool,
}

/// `sslmode`, as libpq means it.
/// Source: <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION>
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMode {
    /// No encryption.
    Disable,
    /// Where the server can; the certificate is not checked.
    Prefer,
    /// Always; the certificate is not checked.
    Require,
    /// Always, with a certificate that leads to one of the roots.
    VerifyCa,
    /// Always, with such a certificate that is made for the host.
    VerifyFull,
}

/// `sslrootcert`: where the roots are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// With the operating system.
    System,
    /// In this PEM file.
    File(String),
}

/// `channel_binding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where the server can.
    Prefer,
    /// Always.
    Require,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self {
            user: None,
            password: None,
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
    /// Takes one option; its value is percent-encoded.
    pub(super) fn set(&mut self, name: &str, encoded: &str) -> Result<(), String> {
        if name == "password" {
            let password: Vec<u8> = percent_decode_str(encoded).collect();
            self.password = Some(password.into());
            return Ok(());
        }
        let value = decode(encoded)?;
        match name {
            "user" => self.user = Some(value),
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
            // The broker needs a server that takes writes, and asks for one by itself.
            "target_session_attrs" => {
                let words = [("any", ()), ("read-write", ()), ("primary", ())];
                one_of(name, &value, &words)?;
            }
            // The broker has bounds of its own for a server that is silent, and they are stricter.
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

    /// Holds the options against each other.
    pub(super) fn check(&mut self) -> Result<(), String> {
        let weak = |option: &str, mode: &str| {
            Err(format!(
                "must have sslmode={mode} or stronger beside the option {option}"
            ))
        };
        match &self.roots {
            // A file of roots is there to be used: libpq does so, too.
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
                "allow" => ": prefer is what comes closest to allow",
                "no-verify" => ": require is what no-verify means",
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
