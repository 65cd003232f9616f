//! Reports of faults to Sentry.

use secrecy::SecretString;
use url::Url;

use super::reader::{Reader, Section};
use super::variables::{BROKER_SENTRY_DSN, BROKER_SENTRY_DSN_FILE, BROKER_SENTRY_ENVIRONMENT};

/// Where faults are reported to.
#[derive(Clone, Debug)]
pub struct Sentry {
    /// The DSN.
    pub dsn: SentryDsn,
    /// The name of the environment in Sentry.
    pub environment: String,
}

/// The parts of a DSN: `https://KEY@HOST/PATH/PROJECT`.
///
/// Source: <https://develop.sentry.dev/sdk/overview/#parsing-the-dsn>
#[derive(Clone, Debug)]
pub struct SentryDsn {
    /// The URL that envelopes are posted to.
    pub envelopes: Url,
    /// The public key, which permits anyone to send reports.
    pub key: SecretString,
}

/// The section; `None` if there is no DSN.
impl Section for Option<Sentry> {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let dsn = reader.secret(&BROKER_SENTRY_DSN, &BROKER_SENTRY_DSN_FILE, parse_dsn);
        let environment = reader.value(&BROKER_SENTRY_ENVIRONMENT, environment);
        let (dsn, environment) = (dsn?, environment?);
        Some(dsn.map(|dsn| Sentry { dsn, environment }))
    }
}

fn parse_dsn(text: &str) -> Result<SentryDsn, String> {
    dsn_parts(text)
        .ok_or_else(|| "must be a DSN of Sentry: https://KEY@HOST/PROJECT-NUMBER".to_owned())
}

fn dsn_parts(text: &str) -> Option<SentryDsn> {
    let mut url = Url::parse(text).ok()?;
    let key = SecretString::from(url.username());
    let is_key = !url.username().is_empty()
        && (url.username().bytes()).all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let (folder, project) = url.path().rsplit_once('/')?;
    let is_project = !project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_key || !is_project || !is_plain {
        return None;
    }
    let path = format!("{folder}/api/{project}/envelope/");
    url.set_path(&path);
    url.set_username("").ok()?;
    Some(SentryDsn {
        envelopes: url,
        key,
    })
}

/// Sentry permits up to 64 characters, without white space and slashes, and not `None`.
///
/// Source: <https://docs.sentry.io/concepts/key-terms/environments/>
fn environment(text: &str) -> Result<String, String> {
    let fits = text.len() <= 64
        && text != "None"
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'/');
    match fits {
        true => Ok(text.to_owned()),
        false => Err("must have up to 64 characters without spaces and slashes".to_owned()),
    }
}
