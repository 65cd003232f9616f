//! The data folder, which `initdb` creates once, and the password.
//!
//! Both are created in a temporary folder and then moved by one rename, so that an interrupted first start
//! leaves nothing that a second start could mistake for a complete cluster.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::account::Account;
use super::error::Error;

/// The only role: the superuser that `initdb` creates.
pub(super) const SUPERUSER: &str = "postgres";

/// A data folder and the password of its superuser.
pub(super) struct Cluster {
    pub(super) data: PathBuf,
    pub(super) password: SecretString,
}

/// Opens the cluster in `dir`, and creates it if there is none.
pub(super) fn open_or_create(
    dir: &Path,
    bin: &Path,
    account: &Account,
    durable: bool,
) -> Result<Cluster, Error> {
    let cluster = dir.join("cluster");
    // Of two concurrent first starts, the second waits and then finds the cluster of the first.
    let lock = dir.join("lock");
    let lock_file = File::create(&lock).map_err(Error::file(&lock))?;
    lock_file.lock().map_err(Error::file(&lock))?;
    if !cluster.exists() {
        let temporary = dir.join("making");
        if temporary.exists() {
            fs::remove_dir_all(&temporary).map_err(Error::file(&temporary))?;
        }
        create(&temporary, bin, account, durable)?;
        fs::rename(&temporary, &cluster).map_err(Error::file(&cluster))?;
    }
    let password = cluster.join("password");
    Ok(Cluster {
        data: cluster.join("data"),
        password: fs::read_to_string(&password)
            .map_err(Error::file(&password))?
            .into(),
    })
}

fn create(folder: &Path, bin: &Path, account: &Account, durable: bool) -> Result<(), Error> {
    fs::create_dir(folder).map_err(Error::file(folder))?;
    account.make_owner_of(folder)?;
    let password = folder.join("password");
    // The password has 122 random bits. The file is created empty first, so that the password is never in a
    // file that other users can read.
    fs::write(&password, "").map_err(Error::file(&password))?;
    fs::set_permissions(&password, Permissions::from_mode(0o600))
        .map_err(Error::file(&password))?;
    let secret = Zeroizing::new(Uuid::new_v4().simple().to_string());
    fs::write(&password, &secret).map_err(Error::file(&password))?;
    account.make_owner_of(&password)?;

    let initdb = bin.join("initdb");
    let output = account
        .command(&initdb, folder)
        // The sort order of text must not depend on the locale of the machine.
        .args([
            "--locale=C",
            "-E",
            "UTF8",
            "-A",
            "scram-sha-256",
            "-U",
            SUPERUSER,
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
