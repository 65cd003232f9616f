//! `DATABASE_URL`: a Postgres URL as libpq reads it.
//!
//! This is the only parser of such URLs. The check of the settings and the connections both use it,
//! so that a URL that passes the check can be used to connect. An unsupported option is rejected by
//! name, never ignored.
//!
//! Source: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>

pub(super) mod hosts;
mod options;
pub(super) mod parts;
mod percent;
mod unsupported;

use std::fmt;
use std::net::IpAddr;

use secrecy::{ExposeSecret as _, SecretString};

use percent::decode;

pub use options::{ChannelBinding, DatabaseOptions, Roots, TlsMode};

use super::redact::redact;
use super::variable::Show;

const EXPECTED: &str = "must be a URL such as postgres://user:password@host:5432/database, with every \
    / ? # @ % of its password percent-encoded";
/// The default port of Postgres.
const PORT: u16 = 5432;

/// A Postgres URL. Its `Display` and `Debug` show the password as `***`.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: SecretString,
    servers: Vec<DatabaseServer>,
    options: DatabaseOptions,
}

/// One of the servers that a URL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseServer {
    /// The host name or address; for a Unix socket, the path of its folder.
    pub host: String,
    /// The IP address (`hostaddr`), if the host name need not be resolved.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// A phrase that says what is expected. It never contains a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = ["postgres://", "postgresql://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme));
        let Some((before, hosts, after)) = rest.and_then(|_| hosts::split(text)) else {
            return Err(EXPECTED.to_owned());
        };
        let mut options = DatabaseOptions::default();
        let login = before.split_once("://").map_or("", |(_, login)| login);
        read_login(login, &mut options)?;
        let (path, query) = after.split_once('?').unwrap_or((after, ""));
        if after.contains(['@', '#']) {
            // What looks like a path or an option may be the end of a password that is not encoded.
            return Err(EXPECTED.to_owned());
        }
        let database = decode(path.strip_prefix('/').unwrap_or(path))?;
        options.database = Some(database).filter(|name| !name.is_empty());
        // This is not form encoding: libpq takes a plus sign literally.
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(EXPECTED)?;
            options.set(&decode(name)?, value)?;
        }
        options.validate()?;
        let servers = servers(hosts, &mut options)?;
        Ok(Self {
            text: text.into(),
            servers,
            options,
        })
    }

    /// The whole URL, with the password.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// The servers, in the order of the URL; at least one.
    pub fn servers(&self) -> &[DatabaseServer] {
        &self.servers
    }

    /// The options that apply to all servers.
    pub fn options(&self) -> &DatabaseOptions {
        &self.options
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(Show::Url, self.expose()))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Parses `user:password@`, which may be missing.
fn read_login(login: &str, options: &mut DatabaseOptions) -> Result<(), String> {
    let Some(login) = login.strip_suffix('@') else {
        return Ok(());
    };
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (login, None),
    };
    let user = decode(user)?;
    options.user = Some(user).filter(|user| !user.is_empty());
    if let Some(password) = password {
        options.set("password", password)?;
    }
    Ok(())
}

/// The servers of the authority, or those of the options `host` and `hostaddr`.
fn servers(authority: &str, options: &mut DatabaseOptions) -> Result<Vec<DatabaseServer>, String> {
    let addresses = std::mem::take(&mut options.addresses);
    let mut servers = match std::mem::take(&mut options.hosts) {
        hosts if hosts.iter().any(String::is_empty) => return Err(EXPECTED.to_owned()),
        hosts if !hosts.is_empty() => hosts.into_iter().map(|host| (host, PORT)).collect(),
        _ if authority.is_empty() => (addresses.iter())
            .map(|address| (address.to_string(), PORT))
            .collect(),
        _ => (authority.split(','))
            .map(host_and_port)
            .collect::<Result<Vec<_>, _>>()?,
    };
    match &*std::mem::take(&mut options.ports) {
        [] => {}
        [port] => servers.iter_mut().for_each(|server| server.1 = *port),
        ports if ports.len() == servers.len() => {
            for (server, port) in servers.iter_mut().zip(ports) {
                server.1 = *port;
            }
        }
        _ => return Err("must name one port, or one for each host".to_owned()),
    }
    if servers.is_empty() {
        return Err("must name a host: in front of the database, or in the option host".to_owned());
    }
    if !addresses.is_empty() && addresses.len() != servers.len() {
        return Err("must name as many hostaddr as hosts".to_owned());
    }
    let addresses = addresses.into_iter().map(Some);
    Ok((servers.into_iter())
        .zip(addresses.chain(std::iter::repeat(None)))
        .map(|((host, port), address)| DatabaseServer {
            host,
            address,
            port,
        })
        .collect())
}

fn host_and_port(text: &str) -> Result<(String, u16), String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(literal) => literal.split_once(']').ok_or(EXPECTED)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let host = decode(host)?;
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err(EXPECTED.to_owned());
    }
    let port = match port.strip_prefix(':') {
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or(EXPECTED)?,
        None if port.is_empty() => PORT,
        None => return Err(EXPECTED.to_owned()),
    };
    Ok((host, port))
}
