//! Settings: read once from a lookup function, validated as a whole, and typed.
//!
//! [`Settings::load`] reports every fault at once, by variable name, with what would be right; a
//! process with a fault does not start. The environment is read in this file and nowhere else.
//! What exists, its default and its meaning stand in one table, [`VARIABLES`], which serves
//! loading, `check-config` and the page on settings. An empty variable counts as not set.

mod audit;
mod auth;
mod aws;
pub mod content_types;
mod database;
mod database_login;
mod database_url;
mod dev;
mod fault;
mod http;
mod identity;
mod janitor;
mod log;
mod network;
mod notify;
mod pages;
mod parse;
mod pdf_engine;
mod processors;
mod rates;
mod reader;
mod redact;
mod report;
mod roles;
mod s3;
mod s3_events;
mod sentry;
mod settings;
mod sse;
mod store_switches;
#[cfg(test)]
mod tests;
mod tls;
mod traces;
mod unknown;
mod uploads;
mod variable;
mod variables;
mod webhooks;
mod worker;

pub use audit::Audit;
pub use auth::Auth;
pub use aws::Aws;
pub use content_types::ContentTypes;
pub use database::Database;
pub use database_url::{
    ChannelBinding, DatabaseOptions, DatabaseServer, DatabaseUrl, Roots, TlsMode,
};
pub use dev::Dev;
pub use fault::Fault;
pub use http::Http;
pub use identity::{Identity, Jwt, JwtKeys};
pub use janitor::{Janitor, StaleMultipart};
pub use log::{Log, LogFormat};
pub use network::{Network, mask_address};
pub use notify::{EVENT_TYPES, Notify, TopicArn};
pub use pages::{PageListener, Pages};
pub use pdf_engine::{PdfEngine, TextractChannel};
pub use processors::{Located, Processors, RuleFault, RuleId, RuleTable, RulesFile};
pub use rates::{Rate, Rates};
pub use reader::{Reader, Section};
pub use report::{Effective, Origin, markdown_table};
pub use roles::{Role, Roles};
pub use s3::S3;
pub use s3_events::{QueueUrl, S3Events};
pub use sentry::{Sentry, SentryDsn};
pub use settings::Settings;
pub use sse::Sse;
pub use store_switches::{StoreSwitches, Switch};
pub use tls::Tls;
pub use traces::{Sampler, Traces};
pub use unknown::unknown_variables;
pub use uploads::Uploads;
pub use variable::{Fallback, Show, Variable};
pub use variables::VARIABLES;
pub use webhooks::Webhooks;
pub use worker::Worker;

/// Reads the settings of this process from its environment.
///
/// # Errors
/// Every fault of every variable.
pub fn from_env() -> Result<Settings, Vec<Fault>> {
    Settings::load(env)
}

/// Reads one environment variable. Bytes that are not UTF-8 are replaced, so that the check of the
/// value rejects them by name. For [`Section::load`], if a command needs one section only.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn env(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// The names of all environment variables, for [`unknown_variables`].
pub fn env_names() -> impl Iterator<Item = String> {
    std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned())
}
