//! Loads the processing rules: reads their file, and validates what it says.
//!
//! All faults are reported at once: those of the shape (`config::RulesFile`), of the values
//! (`domain::rules`), and of the options (the processors that ship with the broker).
//!
//! | Fault | Result |
//! |---|---|
//! | The file cannot be read, is not UTF-8, or is larger than 1 MiB | one fault; the command ends with code 78 and has changed nothing |
//! | A rule is invalid | every fault of every rule; the same |
//! | The file changes after the start | nothing: it is read once, at the start |

mod convert;
mod shipped;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::config::{Processors, RuleFault, RulesFile};
use crate::domain::rules::ProcessingRules;

/// The largest file of rules, in bytes: a bound for a wrong file, such as a device.
const MAX_BYTES: u64 = 1024 * 1024;

/// Rules that cannot be used.
#[derive(Clone, Debug)]
pub struct InvalidRules {
    /// Where they come from, for messages.
    pub source: String,
    /// The faults, in the order of the file.
    pub faults: Vec<RuleFault>,
}

impl InvalidRules {
    /// The faults as messages, each with the source.
    pub fn messages(&self) -> impl Iterator<Item = String> {
        let source = &self.source;
        self.faults
            .iter()
            .map(move |fault| format!("{source}: {fault}"))
    }
}

/// Loads the rules that the settings name; none if they name no file.
///
/// # Errors
/// Every fault of the file.
pub fn load(settings: &Processors) -> Result<ProcessingRules, InvalidRules> {
    match &settings.file {
        Some(file) => {
            let shown = file.to_string_lossy();
            read(&format!("BROKER_PROCESSORS_FILE={shown:?}"), file)
        }
        None => Ok(ProcessingRules::default()),
    }
}

/// Reads the rules in a file.
///
/// # Errors
/// Every fault of the file.
pub fn read(source: &str, file: &Path) -> Result<ProcessingRules, InvalidRules> {
    let text = text_of(file).map_err(|detail| InvalidRules {
        source: source.to_owned(),
        faults: vec![RuleFault {
            line: None,
            rule: None,
            key: String::new(),
            found: None,
            detail,
        }],
    })?;
    parse(source, &text)
}

/// Parses rules in TOML.
///
/// # Errors
/// Every fault.
pub fn parse(source: &str, text: &str) -> Result<ProcessingRules, InvalidRules> {
    let RulesFile { rules, mut faults } = RulesFile::parse(text);
    let converted = convert::rules(&rules, &mut faults);
    if faults.is_empty() {
        return Ok(ProcessingRules::new(converted));
    }
    faults.sort_by_key(|fault| fault.line);
    Err(InvalidRules {
        source: source.to_owned(),
        faults,
    })
}

fn text_of(file: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("is not a readable file: {error}");
    let opened = File::open(file).map_err(unreadable)?;
    let mut bytes = Vec::new();
    (opened.take(MAX_BYTES.saturating_add(1)))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_BYTES) {
        String::from_utf8(bytes).map_err(|_| "must be text in UTF-8".to_owned())
    } else {
        Err(format!("must not be larger than {MAX_BYTES} bytes"))
    }
}
