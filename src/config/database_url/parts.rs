//! A Postgres URL from its parts, for platforms that store the parts of a login separately.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All characters except those that never need encoding (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The parts of a URL. Only the host is required; what is missing has the default of libpq.
#[derive(Default)]
pub(in crate::config) struct DatabaseParts {
    /// A host name, an address, or the folder of a Unix socket.
    pub host: String,
    pub port: Option<u16>,
    pub name: Option<String>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub password_file: Option<String>,
    pub sslmode: Option<String>,
    pub sslrootcert: Option<String>,
}

impl DatabaseParts {
    /// Writes the URL. It contains the password.
    pub(in crate::config) fn to_url(&self) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let mut url = "postgres:///".to_owned();
        if let Some(name) = &self.name {
            url.push_str(&encoded(name));
        }
        url.push_str(&format!("?host={}", encoded(&self.host)));
        let port = self.port.map(|port| port.to_string());
        for (option, value) in [
            ("port", &port),
            ("user", &self.user),
            ("password", &self.password),
            ("password_file", &self.password_file),
            ("sslmode", &self.sslmode),
            ("sslrootcert", &self.sslrootcert),
        ] {
            if let Some(value) = value {
                url.push_str(&format!("&{option}={}", encoded(value)));
            }
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::config::{DatabaseUrl, TlsMode};

    #[test]
    fn url_of_parts_means_the_parts_whatever_characters_they_contain() {
        let parts = DatabaseParts {
            host: "db.example.com".to_owned(),
            port: Some(6543),
            name: Some("up loads/1".to_owned()),
            user: Some("me@home".to_owned()),
            password: Some("a&b=c d/?#@%é".to_owned()),
            sslmode: Some("verify-full".to_owned()),
            ..DatabaseParts::default()
        };
        let url = DatabaseUrl::parse(&parts.to_url()).unwrap();
        let server = &url.servers()[0];
        assert_eq!(
            (server.host.as_str(), server.port),
            ("db.example.com", 6543)
        );
        let options = url.options();
        assert_eq!(options.database.as_deref(), Some("up loads/1"));
        assert_eq!(options.user.as_deref(), Some("me@home"));
        let password = options.password.as_ref().unwrap();
        assert_eq!(password.expose_secret(), "a&b=c d/?#@%é".as_bytes());
        assert_eq!(options.tls, TlsMode::VerifyFull);
        assert!(!format!("{url}").contains("b%3Dc"), "{url}");
    }

    #[test]
    fn host_may_be_the_folder_of_a_socket() {
        let parts = DatabaseParts {
            host: "/run/postgresql".to_owned(),
            ..DatabaseParts::default()
        };
        let url = DatabaseUrl::parse(&parts.to_url()).unwrap();
        assert_eq!(url.servers()[0].host, "/run/postgresql");
        assert_eq!(url.options().database, None);
    }
}
