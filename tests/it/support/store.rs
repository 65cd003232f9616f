//! The embedded S3 store as the store of a test: the same server that `upload-broker dev` runs.

use std::net::SocketAddr;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use upload_broker::dev::s3::{Options, start};

use super::cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use super::shared;

/// A running store. It stops when this value is dropped.
pub struct Store {
    addr: SocketAddr,
    stop: DropGuard,
    task: JoinHandle<()>,
    dir: tempfile::TempDir,
}

/// The data of a stopped store.
pub struct Stopped(tempfile::TempDir);

impl Store {
    /// Starts a new, empty store.
    pub async fn start() -> Store {
        Stopped(tempfile::tempdir().expect("a temporary folder"))
            .start()
            .await
    }

    /// Returns the address that the store listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the HTTP endpoint of the store.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops the store.
    pub async fn stop(self) -> Stopped {
        drop(self.stop);
        self.task.await.expect("the store's end");
        Stopped(self.dir)
    }
}

impl Stopped {
    /// Starts a store with the same data at another address.
    pub async fn start(self) -> Store {
        let options = Options {
            dir: self.0.path().to_owned(),
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
        let stopping = stop.clone();
        let task = shared().spawn(async move {
            server.run(stopping).await;
        });
        Store {
            addr,
            stop: stop.drop_guard(),
            task,
            dir: self.0,
        }
    }
}
