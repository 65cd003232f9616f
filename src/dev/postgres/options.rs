//! The options of the server.

use std::path::PathBuf;

/// The options of the server.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder for data, password and log. It is created if it does not exist.
    pub dir: PathBuf,
    /// The folder of the server programs (`PG_BIN`). With `None` it is searched on this machine.
    pub bin: Option<PathBuf>,
    /// Whether data survives a crash of the machine. `false` is meant for tests that need speed.
    pub durable: bool,
    /// `max_connections`.
    pub max_connections: u16,
    /// Further server settings, such as `("ssl", "on")`. They override the built-in ones.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// Returns the options of a durable server in `dir`, with Postgres's default of 100 connections.
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
