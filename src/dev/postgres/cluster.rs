//! The data folder: made once by `initdb`, together with the password.
//!
//! Both are made aside and moved into place by one rename, so that an interrupted first start
//! leaves nothing that a second could take for a cluster.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::ROLE;
use super::account::Account;
use super::error::Error;

/// A data folder and the password of its superuser.
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) password: SecretString,
}

/// The cluster in `dir`, made if there is none.
pub(super) fn open_or_make(
    dir: &Path,
    bin: &Path,
    account: &Account,
    durable: bool,
) -> Result<Cluster, Error> {
    let cluster = dir.join("cluster");
    // Two first starts at once: the second waits, and finds the first one's cluster.
    let lock = dir.join("lock");
    let held = File::create(&lock).map_err(Error::file(&lock))?;
    held.lock().map_err(Error::file(&lock))?;
    if !cluster.exists() {
        let making = dir.join("making");
        if making.exists() {
            fs::remove_dir_all(&making).map_err(Error::file(&making))?;
        }
        make(&making, bin, account, durable)?;
        fs::rename(&making, &cluster).map_err(Error::file(&cluster))?;
    }
    let password = cluster.join("password");
    Ok(Cluster {
        data: cluster.join("data"),
        password: fs::read_to_string(&password)
            .map_err(Error::file(&password))?
            .into(),
    })
}

fn make(folder: &Path, bin: &Path, account: &Account, durable: bool) -> Result<(), Error> {
    fs::create_dir(folder).map_err(Error::file(folder))?;
    account.own(folder)?;
    let password = folder.join("password");
    // 122 random bits; empty first, so that the secret is never in a file that others can read.
    fs::write(&password, "").map_err(Error::file(&password))?;
    fs::set_permissions(&password, Permissions::from_mode(0o600))
        .map_err(Error::file(&password))?;
    let secret = Zeroizing::new(Uuid::new_v4().simple().to_string());
    fs::write(&password, &secret).map_err(Error::file(&password))?;
    account.own(&password)?;

    let initdb = bin.join("initdb");
    let output = account
        .command(&initdb, folder)
        // No locale of the machine may decide how text sorts.
        .args([
            "--locale=C",
            "-E",
            "UTF8",
            "-A",
            "scram-sha-256",
            "-U",
            ROLE,
        ])
        .arg("--no-instructions")
        .args((!durable).then_some("--no-sync"))
        .arg("--pwfile")
        .arg(&password)
        .arg("-D")
        .arg(folder.join("data"))
        .output()
        .map_err(Error::program(&initdb))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Failed {
        program: "initdb",
        output: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}
