//! Why a command failed, and what to do about it.

use std::io;

use super::api::problem::Problem;
use super::exit::Exit;

/// The result of what may fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something failed. The text never holds a key or a pre-signed URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wrong settings or a wrong command line that clap cannot know of.
    #[error("{0}")]
    Settings(String),
    /// Nobody answered, or nobody who could, for as long as we tried.
    #[error("{who} {what}")]
    Unavailable {
        /// `the broker` or `the store`.
        who: &'static str,
        /// What happened instead, with its cause.
        what: String,
    },
    /// The broker said no.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The store said no.
    #[error("the store answered {status} {code}: {message}")]
    Store {
        /// The HTTP status.
        status: u16,
        /// S3's own code, such as `PreconditionFailed`; empty where it sent none.
        code: String,
        /// S3's own words.
        message: String,
    },
    /// An answer that is no answer of a broker.
    #[error("{0}")]
    Strange(String),
    /// Something on this machine.
    #[error("{what}: {source}")]
    Local {
        /// What could not be done.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// Something stands in the way.
    #[error("{0}")]
    Conflict(String),
    /// What came is not what was promised.
    #[error("{0}")]
    Mismatch(String),
    /// Something that cannot be worked on, and why; the rest goes on.
    #[error("{0}: left out")]
    LeftOut(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
    /// The reader of our output has gone: nothing is left to say, and nothing went wrong.
    #[error("nobody reads the output any more")]
    OutputClosed,
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Wrong settings.
    pub fn settings(what: impl Into<String>) -> Self {
        Self::Settings(what.into())
    }

    /// Something on this machine.
    pub fn local(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        Self::Local { what, source }
    }

    /// How the process ends with it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Settings(_) => Exit::Usage,
            Self::Unavailable { .. } => Exit::Unavailable,
            Self::Refused(problem) => problem.exit(),
            Self::Store { status, .. } => match status {
                404 => Exit::NotFound,
                409 | 412 => Exit::Conflict,
                429 | 500.. => Exit::Unavailable,
                _ => Exit::Failed,
            },
            Self::NotFound(_) => Exit::NotFound,
            Self::Conflict(_) => Exit::Conflict,
            Self::Mismatch(_) => Exit::Mismatch,
            Self::OutputClosed => Exit::Done,
            Self::Interrupted => Exit::Interrupted,
            Self::Strange(_) | Self::Local { .. } | Self::LeftOut(_) | Self::Failed(_) => {
                Exit::Failed
            }
        }
    }

    /// What to do next, where there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => problem.hint(),
            Self::Unavailable {
                who: "the broker", ..
            } => Some(
                "see whether UPLOAD_BROKER_URL is right and the broker runs; then do the same again",
            ),
            Self::Unavailable { .. } => Some("do the same again: it goes on where it stopped"),
            Self::Strange(_) => Some("see whether UPLOAD_BROKER_URL is that of an upload-broker"),
            _ => None,
        }
    }

    /// The stable name of the kind, for programs: the broker's code where it said one.
    pub fn code(&self) -> &str {
        match self {
            Self::Settings(_) => "settings",
            Self::Unavailable { .. } => "unavailable",
            Self::Refused(problem) => &problem.code,
            Self::Store { .. } => "store",
            Self::Strange(_) => "strange-answer",
            Self::Local { .. } => "local",
            Self::NotFound(_) => "not-found",
            Self::Conflict(_) => "conflict",
            Self::Mismatch(_) => "mismatch",
            Self::LeftOut(_) => "left-out",
            Self::Failed(_) => "failed",
            Self::OutputClosed => "output-closed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The broker's problem, where it is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the same request may succeed a little later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 408 | 429 | 500..),
            _ => false,
        }
    }

    /// Whether the broker refused with this code.
    pub fn is_problem(&self, code: &str) -> bool {
        self.problem().is_some_and(|problem| problem.code == code)
    }
}
