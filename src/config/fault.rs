//! What is wrong with a variable.

use std::fmt;

/// One fault of one variable. Shown, it names the variable, its value (secrets hidden) and what
/// would be right.
#[derive(Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the variable.
    pub variable: &'static str,
    /// Its value as it may be shown; none when it is not set.
    pub found: Option<String>,
    /// What would be right, as a phrase that begins with "must" or "is".
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

/// As shown: a failing `expect` prints the sentence.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Fault {}
