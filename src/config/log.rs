//! Logging.

use std::convert::Infallible;

use super::reader::{Reader, Section};
use super::variables::{BROKER_LOG_FORMAT, RUST_LOG};

/// What is logged, and in which format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The format of a log line.
    pub format: LogFormat,
    /// The filter, in the syntax of env_logger.
    pub filter: String,
}

/// The format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text for humans.
    Text,
    /// One JSON object per line.
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
