//! As whom the server runs, and in which folder that user can work.
//!
//! Not root: as ourselves. Root: as the owner of an existing data folder, else as `postgres`,
//! else as `nobody`.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::Error;

/// Where root's servers keep their files when the chosen folder is closed to their user.
const OPEN_TO_ALL: &str = "/var/lib/upload-broker-dev";

/// A user that the server runs as.
pub(super) struct Account {
    /// User and group to change to; `None` stays who we are.
    change: Option<(u32, u32)>,
}

/// Picks the user for the server in `dir`.
pub(super) fn choose(dir: &Path) -> Result<Account, Error> {
    let me = id(&["-u"])?;
    let owner = fs::metadata(dir.join("cluster/data"))
        .ok()
        .map(|data| (data.uid(), data.gid()));
    let change = match (me, owner) {
        (0, Some(owner)) if owner.0 != 0 => Some(owner),
        (0, _) => Some(servant()?),
        (me, Some((owner, _))) if owner != me => {
            return Err(Error::Owned {
                dir: dir.to_owned(),
                owner,
            });
        }
        _ => None,
    };
    Ok(Account { change })
}

impl Account {
    /// A command that runs as this user, in plain surroundings: no `PG*` variables, messages in
    /// English, UTC.
    pub(super) fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir("/");
        if let Some((uid, gid)) = self.change {
            // Root's supplementary groups are dropped by std when it changes the user.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a file or folder to this user.
    pub(super) fn own(&self, path: &Path) -> Result<(), Error> {
        match self.change {
            Some((uid, gid)) => chown(path, Some(uid), Some(gid)).map_err(Error::file(path)),
            None => Ok(()),
        }
    }

    /// Whether this user can work in `dir`: every folder above must let it through.
    fn reaches(&self, dir: &Path) -> Result<bool, Error> {
        let sh = Path::new("/bin/sh");
        self.command(sh, dir)
            .args(["-c", r#"test -w "$1""#, "reaches"])
            .arg(dir)
            .stderr(Stdio::null())
            .status()
            .map(|status| status.success())
            .map_err(Error::program(sh))
    }
}

/// The real folder to work in. It is `dir`, unless we are root and `dir` lies below a folder that
/// is closed to the server's user, like `/root`: then an empty `dir` becomes a link to a folder
/// that is not. Removing the link wipes the data: the next start begins with an empty folder.
pub(super) fn home(dir: &Path, account: &Account) -> Result<PathBuf, Error> {
    fs::create_dir_all(dir).map_err(Error::file(dir))?;
    let real = fs::canonicalize(dir).map_err(Error::file(dir))?;
    account.own(&real)?;
    if account.reaches(&real)? {
        return Ok(real);
    }
    // Fails when it is not empty, and so never takes anything away.
    fs::remove_dir(&real).map_err(|_| Error::Closed { dir: real.clone() })?;
    let elsewhere = Path::new(OPEN_TO_ALL).join(tag(&real));
    if elsewhere.exists() {
        fs::remove_dir_all(&elsewhere).map_err(Error::file(&elsewhere))?;
    }
    fs::create_dir_all(&elsewhere).map_err(Error::file(&elsewhere))?;
    account.own(&elsewhere)?;
    symlink(&elsewhere, &real).map_err(Error::file(&real))?;
    Ok(elsewhere)
}

/// A short name for a path; equal for equal paths.
fn tag(path: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The unprivileged user for a server that root starts.
fn servant() -> Result<(u32, u32), Error> {
    let of = |user| Ok((id(&["-u", user])?, id(&["-g", user])?));
    of("postgres").or_else(|_: Error| of("nobody"))
}

/// `id` knows users from every source that the machine is set up with; std knows none.
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
