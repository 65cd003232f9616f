//! Which of the two arguments is here, and which is the broker's.

use std::path::{Path, PathBuf};

use crate::client::error::{Error, Result};
use crate::client::folder;

/// What the broker's side may be marked with.
const MARK: &str = "broker:";

/// From where to where.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// From a folder here to one of the broker.
    Up(PathBuf, String),
    /// From a folder of the broker to one here.
    Down(String, PathBuf),
}

impl Direction {
    /// Of the two arguments, in their order. A side marked with `broker:` is the broker's. Without
    /// a mark, a folder that is here is the local side; where both are here nothing is assumed, as
    /// the wrong direction overwrites the newer files.
    ///
    /// # Errors
    /// [`Error::Settings`], with how to write it.
    pub(super) fn of(from: &str, to: &str) -> Result<Self> {
        let (is_here, to_is_here) = (Path::new(from).is_dir(), Path::new(to).is_dir());
        match (from.strip_prefix(MARK), to.strip_prefix(MARK)) {
            (Some(_), Some(_)) => Err(Error::settings(
                "one of the two is a folder here: `cp` and `mv` work on the broker's side alone",
            )),
            (Some(remote), None) => Ok(Self::Down(folder::of(remote)?, to.into())),
            (None, Some(remote)) if is_here => Ok(Self::Up(from.into(), folder::of(remote)?)),
            (None, None) if is_here && !to_is_here => Ok(Self::Up(from.into(), folder::of(to)?)),
            (None, None) if is_here => Err(Error::settings(format!(
                "{from} and {to} are both folders here: write {MARK}PATH for the one of the broker"
            ))),
            (None, None) if from.starts_with('/') => Ok(Self::Down(folder::of(from)?, to.into())),
            _ => Err(Error::settings(format!(
                "{from} is no folder here; if it is one of the broker, write {MARK}{from}"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_side_is_the_one_that_is_here() {
        let root = tempfile::tempdir().expect("a folder");
        let here = root.path().to_str().expect("UTF-8");
        let up = || Some(Direction::Up(here.into(), "/no/such/".into()));
        let down = || Some(Direction::Down("/no/such/".into(), here.into()));
        let marked = format!("broker:{here}");
        for (from, to, direction) in [
            (here, "/no/such", up()),
            (here, "broker:no/such/", up()),
            ("/no/such", here, down()),
            ("broker:no/such", here, down()),
            (
                &marked,
                "x",
                Some(Direction::Down(format!("{here}/"), "x".into())),
            ),
            (
                "/no/such",
                "x",
                Some(Direction::Down("/no/such/".into(), "x".into())),
            ),
            (here, here, None),
            ("no-such", "/x", None),
            ("no-such", "broker:/x", None),
            ("broker:/a", "broker:/b", None),
            (here, "/a/../b", None),
        ] {
            assert_eq!(Direction::of(from, to).ok(), direction, "{from} {to}");
        }
    }
}
