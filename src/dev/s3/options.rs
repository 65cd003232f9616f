//! The options of the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use super::events::Observer;

/// The options of the server.
pub struct Options {
    /// The folder of the index and the bodies. It is created if it does not exist.
    pub dir: PathBuf,
    /// The address to listen on. Port 0 selects a free port, see
    /// [`Server::local_addr`](super::Server::local_addr).
    pub bind: SocketAddr,
    /// The only valid access key.
    pub access_key: String,
    /// The secret of the access key.
    pub secret_key: SecretString,
    /// The region that signatures must name.
    pub region: String,
    /// Buckets to create if they do not exist.
    pub buckets: Vec<String>,
    /// Whether acknowledged writes survive a power cut. Without it they survive only the death of the
    /// process, and writes are several times as fast; this is meant for tests.
    pub fsync: bool,
    /// Receives an event for every object that is created or removed, after the change is on disk.
    pub observer: Option<Arc<dyn Observer>>,
}
