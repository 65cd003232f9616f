//! Whether callers' deeds are written down.

use super::reader::{Reader, Section};
use super::variables::BROKER_AUDIT;

/// Whether callers' deeds are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audit {
    /// Each of them.
    On,
    /// None. What operators do on the command line is, all the same.
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
