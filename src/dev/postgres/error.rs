//! Why Postgres did not start, in words that say what to do.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

/// Why the embedded Postgres did not start, answer or stop.
#[derive(Debug, ThisError)]
pub enum Error {
    /// No server programs on this machine.
    #[error(
        "no Postgres server programs found ({looked}). Install them:
  Debian, Ubuntu   apt-get install postgresql
  Fedora, RHEL     dnf install postgresql-server
  Alpine           apk add postgresql
  Arch             pacman -S postgresql
  macOS            brew install postgresql@17
or set PG_BIN to the folder that holds initdb and postgres, or DATABASE_URL to a running server"
    )]
    NotInstalled {
        /// Where they were looked for.
        looked: String,
    },
    /// Another process runs a server in this folder.
    #[error("a Postgres already runs in {} (process {pid}): is another `upload-broker dev` running?", dir.display())]
    Running {
        /// The data folder.
        dir: PathBuf,
        /// What `postmaster.pid` says.
        pid: String,
    },
    /// The folder was made by another user, and Postgres insists on its own.
    #[error("{} belongs to user id {owner}: start as that user or as root, or use another folder", dir.display())]
    Owned {
        /// The data folder.
        dir: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The server's user cannot get at the folder.
    #[error("the server's user cannot work in {}: open the folders above it (chmod o+x), or use another folder", dir.display())]
    Closed {
        /// The folder.
        dir: PathBuf,
    },
    /// A file or folder cannot be read or made.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program cannot be run at all.
    #[error("cannot run {}: {source}", program.display())]
    Program {
        /// Which one.
        program: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// Which one.
        program: &'static str,
        /// The end of what it said.
        output: String,
    },
    /// The server could not be stopped.
    #[error("cannot stop Postgres")]
    Stop(#[source] io::Error),
    /// The server answers, but not as we asked.
    #[error("Postgres refused an administrative statement")]
    Sql(#[from] tokio_postgres::Error),
}

impl Error {
    /// For `map_err` on an operation on `path`.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    }

    /// For `map_err` on running `program`.
    pub(super) fn program(program: &Path) -> impl FnOnce(io::Error) -> Error {
        let program = program.to_owned();
        move |source| Error::Program { program, source }
    }
}
