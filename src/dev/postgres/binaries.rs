//! Where the server's programs are.

use std::cmp::Reverse;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;

/// Debian and Ubuntu keep one folder a version here, off the PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb` and `postgres`: the given one; else the one that `initdb` on the PATH
/// really lies in; else the newest of Debian's.
pub(super) fn find(given: Option<&Path>) -> Result<PathBuf, Error> {
    if let Some(bin) = given {
        return complete(bin.to_owned()).ok_or_else(|| Error::NotInstalled {
            looked: format!("not in PG_BIN={}", bin.display()),
        });
    }
    on_path()
        .or_else(|| newest(Path::new(DEBIAN)))
        .ok_or_else(|| Error::NotInstalled {
            looked: format!("no initdb on the PATH, none under {DEBIAN}"),
        })
}

/// `initdb` on the PATH may be a link; `postgres` lies beside what it points to.
fn on_path() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "PATH is where programs are, not a setting of ours"
    )]
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
        .find_map(|initdb| complete(initdb.parent()?.to_owned()))
}

/// The highest version under `root`, which holds folders like `15/bin` and `9.6/bin`.
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
    versions.into_iter().find_map(|(_, bin)| complete(bin))
}

fn complete(bin: PathBuf) -> Option<PathBuf> {
    (bin.join("initdb").is_file() && bin.join("postgres").is_file()).then_some(bin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_complete_version_wins_by_number() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "16"] {
            let bin = root.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            fs::write(bin.join("initdb"), "").unwrap();
            // 16 is only the client half.
            if version != "16" {
                fs::write(bin.join("postgres"), "").unwrap();
            }
        }
        assert_eq!(newest(root.path()), Some(root.path().join("15/bin")));
    }

    #[test]
    fn a_given_folder_without_the_programs_is_an_error_with_the_remedy() {
        let empty = tempfile::tempdir().unwrap();
        let message = find(Some(empty.path())).unwrap_err().to_string();
        assert!(message.contains("PG_BIN="), "{message}");
        assert!(message.contains("apt-get install postgresql"), "{message}");
    }
}
