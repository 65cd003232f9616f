//! The embedded store as a test's S3: the same server that `upload-broker dev` runs.

use std::net::SocketAddr;

use tokio_util::sync::{CancellationToken, DropGuard};
use upload_broker::dev::s3::{Options, start};

use super::cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use super::shared;

/// A running store; it ends with the test.
pub struct Store {
    addr: SocketAddr,
    _stop: DropGuard,
    _dir: tempfile::TempDir,
}

impl Store {
    /// A new store, empty.
    pub async fn start() -> Store {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let options = Options {
            dir: dir.path().to_owned(),
            bind: "127.0.0.1:0".parse().expect("an address"),
            access_key: ACCESS_KEY_ID.to_owned(),
            secret_key: SECRET_ACCESS_KEY.into(),
            region: REGION.to_owned(),
            buckets: Vec::new(),
            fsync: false,
            observer: None,
        };
        let task = shared().spawn(start(options));
        let server = task.await.expect("the store's task").expect("a store");
        let (addr, stop) = (server.local_addr(), CancellationToken::new());
        shared().spawn(server.run(stop.clone()));
        Store {
            addr,
            _stop: stop.drop_guard(),
            _dir: dir,
        }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }
}
