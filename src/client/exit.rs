//! How a command ends, as one table.

use std::process::ExitCode;

/// The exit codes of the client, the worst last: a command on several things ends with the worst
/// of its parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done.
    #[default]
    Done,
    /// There is no such dataset or upload.
    NotFound,
    /// Something stands in the way: another dataset, another state, another version.
    Conflict,
    /// The broker's rules refuse it: a path, a size, a content type.
    Refused,
    /// Failed for another reason; the message says which.
    Failed,
    /// No broker or store answered.
    Unavailable,
    /// The key is missing, unknown or lacks a scope.
    NotAllowed,
    /// What was read or arrived is not what was promised.
    Mismatch,
    /// A wrong command line or wrong settings.
    Usage,
    /// Ctrl-C or SIGTERM. What was begun can be resumed.
    Interrupted,
}

impl Exit {
    /// The number.
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

/// The table, for the end of each `--help`.
pub const HELP: &str = "\
Exit codes:
  0 done                       5 not found
  1 failed                     6 something stands in the way
  2 wrong usage or settings    7 the bytes are not those that were promised
  3 no answer                  8 refused by the broker's rules
  4 not allowed                130 interrupted; the same command goes on";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_wins() {
        let ends = [Exit::NotFound, Exit::Mismatch, Exit::Done];
        assert_eq!(ends.into_iter().max(), Some(Exit::Mismatch));
    }
}
