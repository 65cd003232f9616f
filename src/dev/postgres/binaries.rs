//! Finds the server programs.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;

/// Debian and Ubuntu have one folder per version here, which is not on the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Returns the folder with `initdb` and `postgres`: the given one; otherwise the real folder of the `initdb`
/// on the PATH; otherwise the newest of Debian's folders.
pub(super) fn find(given: Option<&Path>) -> Result<PathBuf, Error> {
    if let Some(bin) = given {
        return if_complete(bin.to_owned()).ok_or_else(|| Error::NotInstalled {
            searched: format!("not in PG_BIN={}", bin.display()),
        });
    }
    on_path()
        .or_else(|| newest(Path::new(DEBIAN)))
        .ok_or_else(|| Error::NotInstalled {
            searched: format!("not on the PATH, not under {DEBIAN}"),
        })
}

/// Returns the folder of the `initdb` on the PATH. It may be a link; `postgres` is in the folder of its
/// target.
fn on_path() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "PATH is not a setting of the broker"
    )]
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
        .find_map(|initdb| if_complete(initdb.parent()?.to_owned()))
}

/// Returns the folder of the highest version under `root`, which contains folders such as `15/bin` and
/// `9.6/bin`.
fn newest(root: &Path) -> Option<PathBuf> {
    let mut versions: Vec<(Vec<u32>, PathBuf)> = fs::read_dir(root)
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name();
            let numbers: Result<Vec<u32>, _> = name.to_str()?.split('.').map(str::parse).collect();
            Some((numbers.ok()?, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| Reverse(version.clone()));
    versions.into_iter().find_map(|(_, bin)| if_complete(bin))
}

/// Returns the folder if it contains the server programs.
fn if_complete(bin: PathBuf) -> Option<PathBuf> {
    (bin.join("initdb").is_file() && bin.join("postgres").is_file()).then_some(bin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_selects_the_highest_version_number_that_is_complete() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "16"] {
            let bin = root.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join("initdb"), "").unwrap();
            // Version 16 has only the client programs.
            if version != "16" {
                fs::write(bin.join("postgres"), "").unwrap();
            }
        }
        assert_eq!(newest(root.path()), Some(root.path().join("15/bin")));
    }

    #[test]
    fn find_reports_given_folder_without_programs_and_how_to_install_them() {
        let empty = tempfile::tempdir().unwrap();
        let message = find(Some(empty.path())).unwrap_err().to_string();
        assert!(message.contains("PG_BIN="), "{message}");
        assert!(message.contains("apt-get install postgresql"), "{message}");
    }
}
