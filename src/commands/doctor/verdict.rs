//! What a check came to.

use std::fmt;

use serde::Serialize;

use super::super::output::causes;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, and something will hurt one day.
    Warning,
    /// The broker does not work like this, or what it promises does not hold.
    Failed,
    /// It cannot be told: the store has no such call, or keeps it from this role.
    Unknown,
}

/// A state, why, and what to do about it.
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

    /// A failure by its causes.
    pub(super) fn fault(error: &dyn std::error::Error, fix: impl Into<String>) -> Self {
        Self::failed(causes(error), fix)
    }
}

/// A check with its verdict, as a line for programs and as one for people.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    check: &'static str,
    /// Of a tenant; the common one goes without saying.
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    pub(super) state: State,
    why: String,
    fix: Option<String>,
}

impl Line {
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

    /// The same, of a tenant's own bucket.
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
            Self::Unknown => "cannot tell",
        })
    }
}

impl fmt::Display for Line {
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
