//! What did not come to its end, told together when the others have.

use serde_json::{Value, json};

use crate::commands::output::causes;
use crate::usecases;

/// Each with what it was about.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<(String, String)>);

impl Failures {
    /// What was done, or nothing where it failed: that is noted.
    pub(super) fn note<T>(&mut self, what: &str, done: usecases::Result<T>) -> Option<T> {
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

    /// A headline and a line each; nothing where nothing failed.
    pub(super) fn lines(&self) -> Vec<String> {
        if self.is_empty() {
            return Vec::new();
        }
        let headline = "The janitor did not come to the end of everything:".to_owned();
        let each = (self.0.iter()).map(|(what, why)| format!("  {what}: {why}"));
        std::iter::once(headline).chain(each).collect()
    }

    pub(super) fn json(&self) -> Value {
        let each = (self.0.iter()).map(|(what, why)| json!({"what": what, "error": why}));
        each.collect()
    }
}
