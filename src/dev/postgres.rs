//! A private Postgres server, started as a child process.
//!
//! The folder [`Options::dir`] contains `cluster/data`, `cluster/password` and `server.log`. The first start
//! creates them, and later starts reuse them.
//!
//! **Access.** Clients connect over loopback, on a free port, and authenticate with a password (SCRAM). The
//! method `trust` would be simpler, but it would make every local user a superuser of this server, and a
//! Postgres superuser can run programs as the user of the server. The caller of `initdb` generates the
//! password and stores it in `cluster/password`, which only the user of the server can read.
//!
//! **As root.** Postgres refuses to run as root, so the server runs as `postgres`, or as `nobody` if that
//! user does not exist; see `account.rs`.
//!
//! **Failures.** If the server programs are missing, the error says what to install. If the folder is in
//! use, the error names the process. If this process or the server is killed with `kill -9`, the next start
//! finds the stale `postmaster.pid`, and Postgres recovers. In all other cases the error contains the end of
//! `server.log`.

mod account;
mod admin;
mod binaries;
mod cluster;
mod error;
mod options;
mod server;

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::dev::child::ServerProcess;
use cluster::SUPERUSER;

pub use error::Error;
pub use options::Options;

/// A running server. It is stopped by [`Postgres::stop`], by drop, and when this process is killed.
pub struct Postgres {
    process: ServerProcess,
    port: u16,
    password: SecretString,
    log: PathBuf,
}

impl Postgres {
    /// Starts the server and returns when it accepts connections. Blocks: for about a second with a new
    /// folder, for less than a tenth of a second with an existing one. Inside a runtime, call it from
    /// `spawn_blocking`.
    ///
    /// # Errors
    /// The server cannot be started. Each message says what to do.
    pub fn start(options: &Options) -> Result<Postgres, Error> {
        let bin = binaries::find(options.bin.as_deref())?;
        let account = account::choose(&options.dir)?;
        let dir = account::working_folder(&options.dir, &account)?;
        let cluster = cluster::open_or_create(&dir, &bin, &account, options.durable)?;
        let log = dir.join("server.log");
        let running = server::run(&server::StartParameters {
            bin: &bin,
            account: &account,
            data: &cluster.data,
            log: &log,
            options,
        })?;
        Ok(Postgres {
            process: running.process,
            port: running.port,
            password: cluster.password,
            log,
        })
    }

    /// Returns the connection URL of a database. It contains the password and must not be logged.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let (password, port) = (self.password.expose_secret(), self.port);
        format!("postgres://{SUPERUSER}:{password}@127.0.0.1:{port}/{database}")
    }

    /// Returns the port on 127.0.0.1. It differs at each start.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the path of the server log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Creates the database if it does not exist.
    ///
    /// # Errors
    /// The server rejects the connection or the statement.
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        admin::ensure_database(&self.url(SUPERUSER), name).await
    }

    /// Stops the server with a fast shutdown: open connections are closed, and all committed data is on disk.
    /// Blocks for about a tenth of a second.
    ///
    /// # Errors
    /// The signal cannot be sent, or the end of the server cannot be awaited.
    pub fn stop(mut self) -> Result<(), Error> {
        self.process.stop().map_err(Error::Stop)
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("port", &self.port)
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}
