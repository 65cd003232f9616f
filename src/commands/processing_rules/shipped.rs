//! The processors that ship with the broker, as far as the rules need to know them.

use serde_json::Value;

/// A processor that ships with the broker.
pub(super) struct ShippedProcessor {
    /// Its name in the rules.
    pub(super) name: &'static str,
    /// Returns every fault in the options of a rule for this processor, which are a JSON object.
    pub(super) check_options: fn(&Value) -> Vec<OptionFault>,
}

/// A fault in the options of a rule.
pub(super) struct OptionFault {
    /// A JSON pointer (RFC 6901) into the options; empty for the options as a whole.
    pub(super) pointer: String,
    /// What is wrong, and what is expected.
    pub(super) detail: String,
}

/// All of them. A new processor needs a line here, so that rules may name it, and its own check of
/// options, so that a wrong option is found at the start and not by each job.
const SHIPPED: &[ShippedProcessor] = &[ShippedProcessor {
    name: "csv-aggregate",
    check_options: accept_all,
}];

/// The processor with this name, if it ships with the broker.
pub(super) fn find(name: &str) -> Option<&'static ShippedProcessor> {
    SHIPPED.iter().find(|processor| processor.name == name)
}

/// Their names, for a message.
pub(super) fn names() -> String {
    let names: Vec<&str> = SHIPPED.iter().map(|processor| processor.name).collect();
    names.join(", ")
}

/// Returns every fault in the options of a rule for the processor with this name. The options of
/// external processors are not known here, and have none.
pub(super) fn check_options(name: &str, options: &Value) -> Vec<OptionFault> {
    find(name).map_or_else(Vec::new, |processor| (processor.check_options)(options))
}

/// The check of a processor that looks at its options only when a job runs.
fn accept_all(_options: &Value) -> Vec<OptionFault> {
    Vec::new()
}
