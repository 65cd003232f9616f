//! The processors that ship with the broker, as far as the rules need to know them.

use serde_json::Value;

use crate::processors::{self, OptionFault, SHIPPED};

/// Whether a processor with this name ships with the broker.
pub(super) fn has(name: &str) -> bool {
    SHIPPED.iter().any(|processor| processor.name == name)
}

/// Their names, for a message.
pub(super) fn names() -> String {
    let names: Vec<&str> = SHIPPED.iter().map(|processor| processor.name).collect();
    names.join(", ")
}

/// Returns every fault in the options of a rule for the processor with this name. The options of
/// external processors are not known here, and have none.
pub(super) fn check_options(name: &str, options: &Value) -> Vec<OptionFault> {
    processors::find(name).map_or_else(Vec::new, |processor| (processor.check_options)(options))
}
