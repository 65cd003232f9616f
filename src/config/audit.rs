//! Whether the actions of callers are recorded in the audit.

use super::reader::{Reader, Section};
use super::variables::BROKER_AUDIT;

/// Whether the actions of callers are recorded in the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audit {
    /// All actions are recorded.
    On,
    /// No actions of callers are recorded. Actions of operators on the command line still are.
    Off,
}

impl Section for Audit {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.value(&BROKER_AUDIT, |text| match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err("must be on or off".to_owned()),
        })
    }
}
