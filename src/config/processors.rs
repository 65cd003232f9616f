//! The file of processing rules: its name, and the shape of its contents.
//!
//! Here a file is only read as far as its shape goes: keys and types. What the values mean is
//! decided by `domain::rules`, and what the options mean by the processors; `commands` puts these
//! together, and reports the faults of all of them at once.

mod fault;
mod json;
mod lines;
mod rule_table;
mod rules_file;
mod table_reader;

use std::path::PathBuf;

use super::reader::{Reader, Section};
use super::variables::BROKER_PROCESSORS_FILE;

pub use fault::{RuleFault, RuleId};
pub use rule_table::RuleTable;
pub use rules_file::RulesFile;
pub use table_reader::Located;

/// The processing of uploads after their proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processors {
    /// The file of the rules; `None` if there are no rules. Loading the settings does not read it.
    pub file: Option<PathBuf>,
}

impl Section for Processors {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let file = reader.optional(&BROKER_PROCESSORS_FILE, |text| Ok(PathBuf::from(text)))?;
        Some(Self { file })
    }
}

#[cfg(test)]
mod tests;
