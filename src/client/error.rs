//! Why a command failed, and what the user can do about it.

use std::io;

use super::api::problem::Problem;
use super::exit::Exit;

/// The result type of the client.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command failed. The text never contains a key or a pre-signed URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Invalid settings, or an invalid command line that clap cannot detect.
    #[error("{0}")]
    Settings(String),
    /// A service did not respond, or not usefully, until the retry limit was reached.
    #[error("{service} {what}")]
    Unavailable {
        /// `the broker` or `the store`.
        service: &'static str,
        /// What happened instead, with its cause.
        what: String,
    },
    /// The broker rejected the request.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The store rejected the request.
    #[error("the store answered {status} {code}: {message}")]
    Store {
        /// The HTTP status code.
        status: u16,
        /// The S3 error code, such as `PreconditionFailed`; empty if the store sent none.
        code: String,
        /// The message of the store.
        message: String,
    },
    /// A response that does not follow the broker's API.
    #[error("{0}")]
    UnexpectedResponse(String),
    /// An I/O error on this machine.
    #[error("{what}: {source}")]
    Local {
        /// The operation that failed.
        what: String,
        /// The cause.
        source: io::Error,
    },
    /// The requested item does not exist.
    #[error("{0}")]
    NotFound(String),
    /// Something existing conflicts with the request.
    #[error("{0}")]
    Conflict(String),
    /// The received bytes differ from the expected ones.
    #[error("{0}")]
    Mismatch(String),
    /// An item that cannot be processed, and why. The other items are processed.
    #[error("{0}: skipped")]
    Skipped(String),
    /// Any other failure.
    #[error("{0}")]
    Failed(String),
    /// The reader of standard output has closed it. This is no failure, and nothing more can be
    /// printed.
    #[error("standard output was closed")]
    OutputClosed,
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Invalid settings.
    pub fn settings(what: impl Into<String>) -> Self {
        Self::Settings(what.into())
    }

    /// An I/O error on this machine.
    pub fn local(what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        Self::Local { what, source }
    }

    /// The exit code of a command that fails with this error.
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
            Self::UnexpectedResponse(_)
            | Self::Local { .. }
            | Self::Skipped(_)
            | Self::Failed(_) => Exit::Failed,
        }
    }

    /// Advice to the user, if there is any.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(problem) => problem.hint(),
            Self::Unavailable {
                service: "the broker",
                ..
            } => Some(
                "check that UPLOAD_BROKER_URL is right and the broker is running, then run the same command again",
            ),
            Self::Unavailable { .. } => {
                Some("run the same command again to continue where it stopped")
            }
            Self::UnexpectedResponse(_) => {
                Some("check that UPLOAD_BROKER_URL is the URL of an upload-broker")
            }
            _ => None,
        }
    }

    /// The stable error code for programs: the broker's problem code where there is one.
    pub fn code(&self) -> &str {
        match self {
            Self::Settings(_) => "settings",
            Self::Unavailable { .. } => "unavailable",
            Self::Refused(problem) => &problem.code,
            Self::Store { .. } => "store",
            Self::UnexpectedResponse(_) => "strange-answer",
            Self::Local { .. } => "local",
            Self::NotFound(_) => "not-found",
            Self::Conflict(_) => "conflict",
            Self::Mismatch(_) => "mismatch",
            Self::Skipped(_) => "left-out",
            Self::Failed(_) => "failed",
            Self::OutputClosed => "output-closed",
            Self::Interrupted => "interrupted",
        }
    }

    /// The problem document of the broker, if this error has one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Refused(problem) => matches!(problem.status, 408 | 429 | 500..),
            _ => false,
        }
    }

    /// Whether the broker rejected the request with this problem code.
    pub fn has_code(&self, code: &str) -> bool {
        self.problem().is_some_and(|problem| problem.code == code)
    }
}
