//! What is left of a process when it has ended.

use std::process::ExitStatus;

/// A process that has ended.
#[derive(Debug)]
pub struct FinishedProcess {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl FinishedProcess {
    /// Of a process that succeeded.
    #[track_caller]
    pub fn ok(self) -> FinishedProcess {
        assert!(self.status.success(), "{self:#?}");
        self
    }

    /// Of a process that ended with this code, and said each of these on standard error.
    #[track_caller]
    pub fn expect_failure(self, code: i32, texts: &[&str]) -> FinishedProcess {
        assert_eq!(self.status.code(), Some(code), "{self:#?}");
        for text in texts {
            assert!(self.err.contains(text), "no {text:?} in {self:#?}");
        }
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
