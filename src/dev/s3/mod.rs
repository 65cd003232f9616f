//! An S3 server in this process: s3s speaks the protocol, the storage half is ours.
//!
//! ```text
//!   hyper ─▶ server ─▶ cors ─▶ s3s (routing, XML, SigV4) ─▶ access ─▶ store
//!                                                                      ├─▶ put get list delete copy buckets tags multipart
//!                                                                      ├─▶ bodies   one file a body, named by id
//!                                                                      └─▶ index    redb: key ─▶ record, in key order
//! ```
//!
//! It is meant for `upload-broker dev` and for tests: one process, one disk, no replication. What
//! it offers behaves as S3 does (status codes, preconditions, checksums); every other operation is
//! answered `NotImplemented`.
//!
//! On a fault: an object is visible whole or not at all. The bytes are on disk before the index
//! names them, and the index changes in one transaction, so a `kill -9` or a power cut leaves at
//! worst a body that nothing names; the next start removes those. A fault of the disk answers the
//! request with 500 `InternalError` and is logged; the server goes on.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

mod access;
mod bodies;
mod buckets;
mod checksum;
mod commit;
mod condition;
mod copy;
mod cors;
mod declared;
mod delete;
mod drain;
mod errors;
mod events;
mod fields;
mod get;
mod index;
mod list;
mod multipart;
mod object;
mod operations;
mod promise;
mod put;
mod receive;
mod server;
mod store;
mod tags;

pub use errors::Error;
pub use events::{Event, EventName, Observer};
pub use server::Server;

/// What the server needs to know.
pub struct Options {
    /// The folder that holds everything: the index and the bodies. Made when it is missing.
    pub dir: PathBuf,
    /// Where to listen; port 0 takes a free one, see [`Server::local_addr`].
    pub bind: SocketAddr,
    /// The only access key there is; any other is refused.
    pub access_key: String,
    /// Its secret.
    pub secret_key: SecretString,
    /// The region that signatures must name.
    pub region: String,
    /// Buckets to make when they are missing.
    pub buckets: Vec<String>,
    /// Whether what was acknowledged survives a power cut too. Without it the death of the process
    /// is survived, and writes are several times as fast: for tests.
    pub fsync: bool,
    /// Told about every object made or removed, after the change is on disk.
    pub observer: Option<Arc<dyn Observer>>,
}

/// Opens the store, removes what a crash left, makes the buckets and binds the socket.
///
/// The port accepts connections when this returns; they are answered once [`Server::run`] runs.
///
/// # Errors
/// The folder cannot be used, another process holds the store, or the address is taken.
pub async fn start(options: Options) -> Result<Server, Error> {
    let bind = options.bind;
    let service = store::open(options).await?;
    Server::bind(bind, service).await
}
