//! Which broker, and the key to it.
//!
//! `--url` goes before `UPLOAD_BROKER_URL`, which goes before the configuration file. The key comes
//! from `UPLOAD_BROKER_KEY` or the file, never from the command line: others can read that.

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
    /// Where the broker is, without a slash at its end.
    pub url: String,
    /// The key; `Debug` hides it. A broker with `BROKER_AUTH=off` needs none.
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
    /// Reads them. `lookup` reads one variable of the environment; an empty one counts as not set.
    ///
    /// # Errors
    /// [`Error::Settings`], with what to set.
    pub fn load(
        common: &Common,
        lookup: impl Fn(&str) -> Option<String>,
        output: &Output,
    ) -> Result<Self> {
        let variable = |name: &str| {
            let text = lookup(name)?.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let place = common.config.clone().or_else(usual_place);
        let file = match &place {
            Some(place) => read(place, common.config.is_some(), output)?,
            None => File::default(),
        };
        let url = common.url.clone().or_else(|| variable(URL)).or(file.url);
        let Some(url) = url else {
            let place = place.map_or_else(String::new, |place| place.display().to_string());
            return Err(Error::settings(format!(
                "no broker is set; set {URL}, give --url, or write `url = \"https://…\"` to {place}"
            )));
        };
        let url = checked(&url)?;
        let key = variable(KEY).map(SecretString::from).or(file.key);
        if key.is_some() && url.scheme() == "http" && !is_here(&url) {
            output.warn("the key goes over the network unencrypted: use https");
        }
        Ok(Self {
            url: url.as_str().trim_end_matches('/').to_owned(),
            key,
        })
    }
}

/// `upload-broker/config.toml` in the user's configuration folder, where there is a user.
fn usual_place() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("upload-broker/config.toml"))
}

fn read(place: &Path, must_be: bool, output: &Output) -> Result<File> {
    let text = match fs::read_to_string(place) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound && !must_be => {
            return Ok(File::default());
        }
        Err(error) => {
            let name = place.display();
            return Err(Error::settings(format!("cannot read {name}: {error}")));
        }
    };
    // The text of a TOML error shows the line, and the line may be the key.
    let file: File = toml::from_str(&text).map_err(|error| {
        let begin = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(begin).filter(|&b| b == b'\n').count() + 1;
        let (name, what) = (place.display(), error.message());
        Error::settings(format!(
            "{name}, line {line}: {what}; it takes `url` and `key`"
        ))
    })?;
    let open = fs::metadata(place).is_ok_and(|about| about.permissions().mode() & 0o077 != 0);
    if open && file.key.is_some() {
        let name = place.display();
        output.warn(&format!(
            "others can read the key in {name}: chmod 600 {name}"
        ));
    }
    Ok(file)
}

/// A URL that requests can be built from.
fn checked(text: &str) -> Result<Url> {
    let wrong = |what: &str| {
        Error::settings(format!(
            "the broker's URL {what}; expected https://HOST[:PORT]"
        ))
    };
    let url = Url::parse(text).map_err(|error| wrong(&format!("is none ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "must not hold a password: the key goes into UPLOAD_BROKER_KEY",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must not have a query or a fragment"));
    }
    Ok(url)
}

/// Whether what is sent there stays on this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
