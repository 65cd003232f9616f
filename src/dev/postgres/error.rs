//! Why Postgres did not start, with messages that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

/// Why the embedded Postgres did not start, respond or stop.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The server programs were not found on this machine.
    #[error(
        "no Postgres server programs found ({searched}). Install them:
  Debian, Ubuntu   apt-get install postgresql
  Fedora, RHEL     dnf install postgresql-server
  Alpine           apk add postgresql
  Arch             pacman -S postgresql
  macOS            brew install postgresql@17
or set PG_BIN to the folder that holds initdb and postgres, or DATABASE_URL to a running server"
    )]
    NotInstalled {
        /// Where they were searched.
        searched: String,
    },
    /// Another process runs a server in this folder.
    #[error("a Postgres already runs in {} (process {pid}): is another `upload-broker dev` running?", dir.display())]
    Running {
        /// The data folder.
        dir: PathBuf,
        /// The process id in `postmaster.pid`.
        pid: String,
    },
    /// The folder belongs to another user. Postgres only uses a folder of its own user.
    #[error("{} belongs to user id {owner}: start as that user or as root, or use another folder", dir.display())]
    Owned {
        /// The data folder.
        dir: PathBuf,
        /// The user id of the owner.
        owner: u32,
    },
    /// The user of the server cannot access the folder.
    #[error("the user of the server cannot access {}: allow access to the folders above it (chmod o+x), or use another folder", dir.display())]
    Closed {
        /// The folder.
        dir: PathBuf,
    },
    /// A file or folder cannot be read or created.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A program cannot be started.
    #[error("cannot run {}: {source}", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// The program.
        program: &'static str,
        /// The end of its output.
        output: String,
    },
    /// The server could not be stopped.
    #[error("cannot stop Postgres")]
    Stop(#[source] io::Error),
    /// The server rejected a connection or a statement.
    #[error("Postgres rejected an administrative statement")]
    Sql(#[from] tokio_postgres::Error),
}

impl Error {
    /// Returns a function for `map_err` of an operation on `path`.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    }

    /// Returns a function for `map_err` of the start of `program`.
    pub(super) fn program(program: &Path) -> impl FnOnce(io::Error) -> Error {
        let program = program.to_owned();
        move |source| Error::Program { program, source }
    }
}
