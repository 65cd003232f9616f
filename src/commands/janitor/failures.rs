//! Collects the failures of a round, which are reported at its end.

use serde_json::{Value, json};

use crate::commands::output::causes;
use crate::usecases;

/// The failed parts, each with its error.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(String, String)>);

impl Failures {
    /// Returns the result of a part, or records its failure and returns `None`.
    pub(super) fn record<T>(&mut self, what: &str, done: usecases::Result<T>) -> Option<T> {
        match done {
            Ok(done) => Some(done),
            Err(error) => {
                self.0.push((what.to_owned(), causes(&error)));
                None
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A headline and one line per failure; empty if nothing failed.
    pub(super) fn lines(&self) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let headline = "Some parts of the janitor round failed:".to_owned();
        let each = (self.0.iter()).map(|(what, why)| format!("  {what}: {why}"));
        std::iter::once(headline).chain(each).collect()
    }

    pub(super) fn json(&self) -> Value {
        let each = (self.0.iter()).map(|(what, why)| json!({"what": what, "error": why}));
        each.collect()
    }
}
