//! The result of a process that has ended.

use std::process::ExitStatus;

/// A process that has ended.
#[derive(Debug)]
pub struct FinishedProcess {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

impl FinishedProcess {
    /// Fails unless the process exited successfully.
    #[track_caller]
    pub fn ok(self) -> FinishedProcess {
        assert!(self.status.success(), "{self:#?}");
        self
    }

    /// Fails unless the process exited with this code, and its standard error contains each of these texts.
    #[track_caller]
    pub fn expect_failure(self, code: i32, texts: &[&str]) -> FinishedProcess {
        assert_eq!(self.status.code(), Some(code), "{self:#?}");
        for text in texts {
            assert!(self.err.contains(text), "no {text:?} in {self:#?}");
        }
        self
    }

    /// Parses the standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
