//! A Postgres server of our own, started as a child process.
//!
//! The folder of [`Options::dir`] holds `cluster/data`, `cluster/password` and `server.log`. A
//! first start makes them, a later one takes them up again.
//!
//! **Who may connect.** Only who knows the password (SCRAM), on loopback, on a port that nobody
//! else had. `trust` would be less to carry, but would make every local user a superuser of this
//! server, and a Postgres superuser runs programs as us. The password is made by `initdb`'s
//! caller, kept in `cluster/password`, readable by the server's user alone.
//!
//! **As root** Postgres refuses to run, so it runs as `postgres` (else `nobody`); see
//! `account.rs`.
//!
//! **On a fault.** Missing binaries: the error says what to install. A folder in use: the error
//! says by which process. Killed with `kill -9` (we, or the server): the next start finds the
//! stale `postmaster.pid`, and Postgres recovers. Anything else: the error carries the end of
//! `server.log`.

mod account;
mod admin;
mod binaries;
mod cluster;
mod error;
mod server;

use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use crate::dev::child::ServerProcess;

pub use error::Error;

/// The only role: the superuser that `initdb` makes.
const ROLE: &str = "postgres";

/// What to start.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder for data, password and log; made when missing.
    pub dir: PathBuf,
    /// The folder of the server's programs (`PG_BIN`); found on this machine when `None`.
    pub bin: Option<PathBuf>,
    /// False gives up all safety against a crash of the machine, for tests that want speed.
    pub durable: bool,
    /// `max_connections`.
    pub max_connections: u16,
    /// More of the server's settings, as `("ssl", "on")`; one that stands here wins.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// A durable server in `dir` with Postgres's usual hundred connections.
    pub fn new(dir: impl Into<PathBuf>) -> Options {
        Options {
            dir: dir.into(),
            bin: None,
            durable: true,
            max_connections: 100,
            settings: Vec::new(),
        }
    }
}

/// A running server; stopped by [`Postgres::stop`] or drop, and when this process is killed.
pub struct Postgres {
    process: ServerProcess,
    port: u16,
    password: SecretString,
    log: PathBuf,
}

impl Postgres {
    /// Starts the server and returns when it answers. Blocks: a second for a new folder, well
    /// under a tenth for an old one. Call it from `spawn_blocking` where a runtime runs.
    ///
    /// # Errors
    /// [`Error`], each with what to do about it.
    pub fn start(options: &Options) -> Result<Postgres, Error> {
        let bin = binaries::find(options.bin.as_deref())?;
        let account = account::choose(&options.dir)?;
        let dir = account::home(&options.dir, &account)?;
        let cluster = cluster::open_or_make(&dir, &bin, &account, options.durable)?;
        let log = dir.join("server.log");
        let running = server::run(&server::Plan {
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

    /// The connection URL of a database, with the password in it: never log it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let (password, port) = (self.password.expose_secret(), self.port);
        format!("postgres://{ROLE}:{password}@127.0.0.1:{port}/{database}")
    }

    /// The port on 127.0.0.1. Another one at each start.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's own log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Makes the database if it is not there yet.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        admin::ensure_database(&self.url(ROLE), name).await
    }

    /// Fast shutdown: open connections are cut, everything committed is on disk. Blocks for
    /// about a tenth of a second.
    ///
    /// # Errors
    /// When the server's process can be neither signalled nor waited for.
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
