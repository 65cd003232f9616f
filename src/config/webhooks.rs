//! Webhooks.

use super::parse::flag;
use super::reader::{Reader, Section};
use super::variables::BROKER_WEBHOOKS_ALLOW_PRIVATE;

/// Where webhooks may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Webhooks {
    /// Whether `http` URLs and addresses that are not public are allowed.
    pub allow_private: bool,
}

impl Section for Webhooks {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let allow_private = reader.value(&BROKER_WEBHOOKS_ALLOW_PRIVATE, flag);
        Some(Self {
            allow_private: allow_private?,
        })
    }
}
