//! Determines which of the two arguments is the local folder, and which the broker's.

use std::path::{Path, PathBuf};

use crate::client::error::{Error, Result};
use crate::client::folder;

/// The prefix that marks the broker's side.
const BROKER_PREFIX: &str = "broker:";

/// The direction of a synchronization.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From a local folder to a folder of the broker.
    Up(PathBuf, String),
    /// From a folder of the broker to a local folder.
    Down(String, PathBuf),
}

impl Direction {
    /// Determines the direction from the two arguments. A path with the prefix `broker:` is the
    /// broker's. Without the prefix, an existing folder is the local side. If both are existing
    /// folders the direction is ambiguous and rejected, because the wrong one overwrites the newer
    /// files.
    ///
    /// # Errors
    /// [`Error::Settings`], which says how to resolve the ambiguity.
    pub(super) fn of(from: &str, to: &str) -> Result<Self> {
        let (from_is_local, to_is_local) = (Path::new(from).is_dir(), Path::new(to).is_dir());
        match (
            from.strip_prefix(BROKER_PREFIX),
            to.strip_prefix(BROKER_PREFIX),
        ) {
            (Some(_), Some(_)) => Err(Error::settings(
                "one of the two must be a local folder: use `cp` or `mv` to copy within the broker",
            )),
            (Some(remote), None) => Ok(Self::Down(folder::normalize(remote)?, to.into())),
            (None, Some(remote)) if from_is_local => {
                Ok(Self::Up(from.into(), folder::normalize(remote)?))
            }
            (None, None) if from_is_local && !to_is_local => {
                Ok(Self::Up(from.into(), folder::normalize(to)?))
            }
            (None, None) if from_is_local => Err(Error::settings(format!(
                "{from} and {to} are both local folders: write {BROKER_PREFIX}PATH for the broker's"
            ))),
            (None, None) if from.starts_with('/') => {
                Ok(Self::Down(folder::normalize(from)?, to.into()))
            }
            _ => Err(Error::settings(format!(
                "{from} is not a local folder; if it is a folder of the broker, write {BROKER_PREFIX}{from}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_is_determined_by_mark_or_existing_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let local = root.path().to_str().expect("UTF-8");
        let up = || Some(Direction::Up(local.into(), "/no/such/".into()));
        let down = || Some(Direction::Down("/no/such/".into(), local.into()));
        let marked = format!("broker:{local}");
        for (from, to, direction) in [
            (local, "/no/such", up()),
            (local, "broker:no/such/", up()),
            ("/no/such", local, down()),
            ("broker:no/such", local, down()),
            (
                &marked,
                "x",
                Some(Direction::Down(format!("{local}/"), "x".into())),
            ),
            (
                "/no/such",
                "x",
                Some(Direction::Down("/no/such/".into(), "x".into())),
            ),
            (local, local, None),
            ("no-such", "/x", None),
            ("no-such", "broker:/x", None),
            ("broker:/a", "broker:/b", None),
            (local, "/a/../b", None),
        ] {
            assert_eq!(Direction::of(from, to).ok(), direction, "{from} {to}");
        }
    }
}
