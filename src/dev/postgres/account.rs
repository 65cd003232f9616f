//! The user that the server runs as, and the folder that this user can write to.
//!
//! If this process does not run as root, the server runs as the same user. If it runs as root, the server
//! runs as the owner of an existing data folder, otherwise as `postgres`, or as `nobody` if that user does
//! not exist.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::Error;

/// The folder for the files of servers that root started, if their user cannot access the chosen folder.
const SHARED_FOLDER: &str = "/var/lib/upload-broker-dev";

/// The user that the server runs as.
pub(super) struct Account {
    /// The user id and group id to change to; `None` keeps those of this process.
    change_to: Option<(u32, u32)>,
}

/// Chooses the user for the server in `dir`.
pub(super) fn choose(dir: &Path) -> Result<Account, Error> {
    let current = id(&["-u"])?;
    let owner = fs::metadata(dir.join("cluster/data"))
        .ok()
        .map(|data| (data.uid(), data.gid()));
    let change_to = match (current, owner) {
        (0, Some(owner)) if owner.0 != 0 => Some(owner),
        (0, _) => Some(unprivileged_user()?),
        (current, Some((owner, _))) if owner != current => {
            return Err(Error::Owned {
                dir: dir.to_owned(),
                owner,
            });
        }
        _ => None,
    };
    Ok(Account { change_to })
}

impl Account {
    /// Returns a command that runs as this user, in a defined environment: without `PG*` variables, with
    /// English messages, and in UTC.
    pub(super) fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir("/");
        if let Some((uid, gid)) = self.change_to {
            // The standard library drops the supplementary groups of root when it changes the user.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes this user the owner of a file or folder.
    pub(super) fn make_owner_of(&self, path: &Path) -> Result<(), Error> {
        match self.change_to {
            Some((uid, gid)) => chown(path, Some(uid), Some(gid)).map_err(Error::file(path)),
            None => Ok(()),
        }
    }

    /// Returns whether this user can write to `dir`. That also requires access to every folder above it.
    fn can_write(&self, dir: &Path) -> Result<bool, Error> {
        let sh = Path::new("/bin/sh");
        self.command(sh, dir)
            .args(["-c", r#"test -w "$1""#, "can_write"])
            .arg(dir)
            .stderr(Stdio::null())
            .status()
            .map(|status| status.success())
            .map_err(Error::program(sh))
    }
}

/// Returns the real folder of the server. It is `dir`, unless this process runs as root and the user of the
/// server cannot access a folder above `dir`, such as `/root`. In that case an empty `dir` is replaced by a
/// symbolic link to a folder that this user can access. Removing the link discards the data, because the next
/// start begins with an empty folder.
pub(super) fn working_folder(dir: &Path, account: &Account) -> Result<PathBuf, Error> {
    fs::create_dir_all(dir).map_err(Error::file(dir))?;
    let real = fs::canonicalize(dir).map_err(Error::file(dir))?;
    account.make_owner_of(&real)?;
    if account.can_write(&real)? {
        return Ok(real);
    }
    // This fails if the folder is not empty, so no data can be lost.
    fs::remove_dir(&real).map_err(|_| Error::Closed { dir: real.clone() })?;
    let elsewhere = Path::new(SHARED_FOLDER).join(tag(&real));
    if elsewhere.exists() {
        fs::remove_dir_all(&elsewhere).map_err(Error::file(&elsewhere))?;
    }
    fs::create_dir_all(&elsewhere).map_err(Error::file(&elsewhere))?;
    account.make_owner_of(&elsewhere)?;
    symlink(&elsewhere, &real).map_err(Error::file(&real))?;
    Ok(elsewhere)
}

/// Returns a short name for a path, which is equal for equal paths.
fn tag(path: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Returns the user id and group id for a server that root starts.
fn unprivileged_user() -> Result<(u32, u32), Error> {
    let of = |user| Ok((id(&["-u", user])?, id(&["-g", user])?));
    of("postgres").or_else(|_: Error| of("nobody"))
}

/// Runs the program `id`, which finds users in every source that the machine is configured with. The
/// standard library has no such function.
fn id(args: &[&str]) -> Result<u32, Error> {
    let output = Command::new("id")
        .args(args)
        .output()
        .map_err(Error::program(Path::new("id")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| Error::Failed {
        program: "id",
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
