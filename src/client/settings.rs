//! The settings of the client: the broker and the API key.
//!
//! `--url` takes precedence over `UPLOAD_BROKER_URL`, and that over the configuration file. The key
//! comes from `UPLOAD_BROKER_KEY` or the file, never from the command line, which other users can
//! read.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use url::{Host, Url};
use zeroize::Zeroizing;

use super::arguments::Common;
use super::error::{Error, Result};
use super::output::Output;

const URL: &str = "UPLOAD_BROKER_URL";
const KEY: &str = "UPLOAD_BROKER_KEY";

/// The settings of the client.
#[derive(Debug)]
pub struct Settings {
    /// The base URL of the broker, without a trailing slash.
    pub url: String,
    /// The API key; `Debug` hides it. A broker with `BROKER_AUTH=off` needs none.
    pub key: Option<SecretString>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    url: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    key: Option<SecretString>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    String::deserialize(deserializer).map(|text| Some(SecretString::from(text)))
}

impl Settings {
    /// Reads the settings. `lookup` reads an environment variable; an empty value counts as not
    /// set.
    ///
    /// # Errors
    /// [`Error::Settings`] with what has to be set.
    pub fn load(
        common: &Common,
        lookup: impl Fn(&str) -> Option<String>,
        output: &Output,
    ) -> Result<Self> {
        let variable = |name: &str| {
            let text = lookup(name)?.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let path = common.config.clone().or_else(default_path);
        let file = match &path {
            Some(path) => read(path, common.config.is_some(), output)?,
            None => File::default(),
        };
        let url = common.url.clone().or_else(|| variable(URL)).or(file.url);
        let Some(url) = url else {
            let path = path.map_or_else(String::new, |path| path.display().to_string());
            return Err(Error::settings(format!(
                "no broker is configured: set {URL}, use --url, or add `url = \"https://…\"` to {path}"
            )));
        };
        let url = validate_url(&url)?;
        let key = variable(KEY).map(SecretString::from).or(file.key);
        if key.is_some() && url.scheme() == "http" && !is_loopback(&url) {
            output.warn("the key is sent over the network unencrypted: use https");
        }
        Ok(Self {
            url: url.as_str().trim_end_matches('/').to_owned(),
            key,
        })
    }
}

/// The default configuration file: `upload-broker/config.toml` in the user's configuration folder.
fn default_path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("upload-broker/config.toml"))
}

fn read(path: &Path, is_required: bool, output: &Output) -> Result<File> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound && !is_required => {
            return Ok(File::default());
        }
        Err(error) => {
            let name = path.display();
            return Err(Error::settings(format!("cannot read {name}: {error}")));
        }
    };
    // A TOML error prints the line, and the line may contain the key, so only its number is shown.
    let file: File = toml::from_str(&text).map_err(|error| {
        let begin = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(begin).filter(|&b| b == b'\n').count() + 1;
        let (name, what) = (path.display(), error.message());
        Error::settings(format!(
            "{name}, line {line}: {what}; the known settings are `url` and `key`"
        ))
    })?;
    let is_readable_by_others =
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0);
    if is_readable_by_others && file.key.is_some() {
        let name = path.display();
        output.warn(&format!(
            "other users can read the key in {name}: run chmod 600 {name}"
        ));
    }
    Ok(file)
}

/// Validates the URL of the broker.
fn validate_url(text: &str) -> Result<Url> {
    let invalid = |what: &str| {
        Error::settings(format!(
            "the broker's URL {what}; expected https://HOST[:PORT]"
        ))
    };
    let url = Url::parse(text).map_err(|error| invalid(&format!("is invalid ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("must start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(
            "must not contain a password: set UPLOAD_BROKER_KEY to the key",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("must not have a query or a fragment"));
    }
    Ok(url)
}

/// Whether requests to this URL stay on this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
