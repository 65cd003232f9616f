//! An invalid variable.

use std::fmt;

/// A fault of one variable. Its `Display` names the variable, its value (with secrets hidden) and
/// what is expected.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the variable.
    pub variable: &'static str,
    /// Its value, as far as it may be shown; `None` if it is not set.
    pub found: Option<String>,
    /// What is expected, as a phrase that begins with "must" or "is".
    pub detail: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(f, "{}={found:?}: {}", self.variable, self.detail),
            None => write!(f, "{}: {}", self.variable, self.detail),
        }
    }
}

/// The same as `Display`, so that a failed `expect` prints the sentence.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Fault {}
