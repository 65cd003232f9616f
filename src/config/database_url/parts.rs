//! A Postgres URL from its parts, for platforms that store the parts of a login separately.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};

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
    pub password: Option<SecretString>,
    pub password_file: Option<String>,
    pub sslmode: Option<String>,
    pub sslrootcert: Option<String>,
}

impl DatabaseParts {
    /// Writes the URL. It contains the password.
    pub(in crate::config) fn to_url(&self) -> SecretString {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let mut url = "postgres:///".to_owned();
        if let Some(name) = &self.name {
            url.push_str(&encoded(name));
        }
        url.push_str(&format!("?host={}", encoded(&self.host)));
        let port = self.port.map(|port| port.to_string());
        let password = self.password.as_ref().map(|secret| secret.expose_secret());
        for (option, value) in [
            ("port", port.as_deref()),
            ("user", self.user.as_deref()),
            ("password", password),
            ("password_file", self.password_file.as_deref()),
            ("sslmode", self.sslmode.as_deref()),
            ("sslrootcert", self.sslrootcert.as_deref()),
        ] {
            if let Some(value) = value {
                url.push_str(&format!("&{option}={}", encoded(value)));
            }
        }
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DatabaseUrl, TlsMode};

    #[test]
    fn url_of_parts_means_the_parts_whatever_characters_they_contain() {
        let parts = DatabaseParts {
            host: "db.example.com".to_owned(),
            port: Some(6543),
            name: Some("up loads/1".to_owned()),
            user: Some("me@home".to_owned()),
            password: Some("a&b=c d/?#@%é".into()),
            sslmode: Some("verify-full".to_owned()),
            ..DatabaseParts::default()
        };
        let url = DatabaseUrl::parse(parts.to_url().expose_secret()).unwrap();
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
        let url = DatabaseUrl::parse(parts.to_url().expose_secret()).unwrap();
        assert_eq!(url.servers()[0].host, "/run/postgresql");
        assert_eq!(url.options().database, None);
    }
}
