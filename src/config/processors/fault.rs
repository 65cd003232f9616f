//! A fault in a file of rules.

use std::fmt;

/// A fault in a file of rules. Its `Display` says where it is (without the name of the file) and what
/// is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFault {
    /// The line of the file, starting at 1; `None` if the fault concerns the whole file.
    pub line: Option<usize>,
    /// The rule; `None` if the fault is outside of the rules.
    pub rule: Option<RuleId>,
    /// The key, with dots for keys of options; empty if the fault concerns no single key.
    pub key: String,
    /// The value, if showing it helps.
    pub found: Option<String>,
    /// What is expected, as a phrase that begins with "must" or "is".
    pub detail: String,
}

/// A rule, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleId {
    /// Its number in the file, starting at 1.
    pub number: usize,
    /// Its name, if it has one.
    pub name: Option<String>,
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "rule {} {name:?}", self.number),
            None => write!(f, "rule {}", self.number),
        }
    }
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, "{rule}: ")?;
        }
        if !self.key.is_empty() {
            // A key may contain any characters, and must not control the terminal.
            write!(f, "{}: ", self.key.escape_debug())?;
        }
        if let Some(found) = &self.found {
            write!(f, "{found:?} ")?;
        }
        f.write_str(&self.detail)
    }
}
