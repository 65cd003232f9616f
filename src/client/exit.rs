//! The exit codes of the client, in one table.

use std::process::ExitCode;

/// The exit codes of the client, ordered by severity. A command that processes several items exits
/// with the most severe code of its items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Success.
    #[default]
    Done,
    /// The dataset or upload does not exist.
    NotFound,
    /// A conflict with another dataset, another version, or the status of an upload.
    Conflict,
    /// The broker's rules reject a path, a size or a content type.
    Refused,
    /// Any other failure; the message says which.
    Failed,
    /// The broker or the store did not respond.
    Unavailable,
    /// The key is missing or unknown, or lacks a scope.
    NotAllowed,
    /// The bytes that were read or received differ from the expected ones.
    Mismatch,
    /// An invalid command line or invalid settings.
    Usage,
    /// Ctrl-C or SIGTERM. The same command continues the work.
    Interrupted,
}

impl Exit {
    /// The numeric exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::NotAllowed => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Mismatch => 7,
            Self::Refused => 8,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table of exit codes, printed at the end of each `--help`.
pub const HELP: &str = "\
Exit codes:
    0 success                    5 not found
    1 failed                     6 conflict with something that exists
    2 invalid usage or settings  7 the bytes differ from the expected ones
    3 no response                8 rejected by the rules of the broker
    4 not allowed                130 interrupted; the same command continues";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_severe_exit_code_is_the_maximum() {
        let ends = [Exit::NotFound, Exit::Mismatch, Exit::Done];
        assert_eq!(ends.into_iter().max(), Some(Exit::Mismatch));
    }
}
