//! The log.

use std::convert::Infallible;

use super::reader::{Reader, Section};
use super::variables::{BROKER_LOG_FORMAT, RUST_LOG};

/// What is logged, and how a line looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// What is logged, in the syntax of env_logger.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Section for Log {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let format = reader.value(&BROKER_LOG_FORMAT, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("must be text or json".to_owned()),
        });
        let filter = reader.value(&RUST_LOG, |text| {
            text.parse().map_err(|never: Infallible| match never {})
        });
        Some(Self {
            format: format?,
            filter: filter?,
        })
    }
}
