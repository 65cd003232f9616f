//! The verdict of a check.

use std::fmt;

use serde::Serialize;

use super::super::output::causes;

/// The state of what was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Everything is as it should be.
    Ok,
    /// It works, but may cause problems later.
    Warning,
    /// The broker does not work, or cannot keep its guarantees.
    Failed,
    /// The state is unknown, because the store does not support the request or denies it to this
    /// role.
    Unknown,
}

/// A state, the reason, and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) state: State,
    pub(super) why: String,
    pub(super) fix: Option<String>,
}

impl Verdict {
    pub(super) fn ok(why: impl Into<String>) -> Self {
        let (state, why) = (State::Ok, why.into());
        let fix = None;
        Self { state, why, fix }
    }

    pub(super) fn warning(why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(State::Warning, why, fix)
    }

    pub(super) fn failed(why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(State::Failed, why, fix)
    }

    pub(super) fn unknown(why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::of(State::Unknown, why, fix)
    }

    fn of(state: State, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            state,
            why: why.into(),
            fix: Some(fix.into()),
        }
    }

    /// A failure, with the error and its causes as the reason.
    pub(super) fn error(error: &dyn std::error::Error, fix: impl Into<String>) -> Self {
        Self::failed(causes(error), fix)
    }
}

/// A check with its verdict. Serialized as JSON for programs, and displayed as text for humans.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CheckResult {
    check: &'static str,
    /// The bucket, if it belongs to a tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    pub(super) state: State,
    why: String,
    fix: Option<String>,
}

impl CheckResult {
    pub(super) fn new(check: &'static str, verdict: Verdict) -> Self {
        let Verdict { state, why, fix } = verdict;
        Self {
            check,
            bucket: None,
            state,
            why,
            fix,
        }
    }

    /// The same for the bucket of a tenant.
    pub(super) fn of(self, bucket: &str) -> Self {
        Self {
            bucket: Some(bucket.to_owned()),
            ..self
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "FAILED",
            Self::Unknown => "unknown",
        })
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<11}  {:<18}  ", self.state, self.check)?;
        if let Some(bucket) = &self.bucket {
            write!(f, "{bucket}: ")?;
        }
        f.write_str(&self.why)?;
        match &self.fix {
            Some(fix) => write!(f, "\n{:33}fix: {fix}", ""),
            None => Ok(()),
        }
    }
}
