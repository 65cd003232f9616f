//! The embedded store as a test's S3: the same server that `upload-broker dev` runs.

use std::net::SocketAddr;

use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use upload_broker::dev::s3::{Options, start};

use super::cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use super::shared;

/// A running store; it ends with the test.
pub struct Store {
    addr: SocketAddr,
    stop: DropGuard,
    task: JoinHandle<()>,
    dir: tempfile::TempDir,
}

/// What a store leaves behind.
pub struct Stopped(tempfile::TempDir);

impl Store {
    /// A new store, empty.
    pub async fn start() -> Store {
        Stopped(tempfile::tempdir().expect("a temporary folder"))
            .start()
            .await
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The same as an HTTP endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Ends it.
    pub async fn stop(self) -> Stopped {
        drop(self.stop);
        self.task.await.expect("the store's end");
        Stopped(self.dir)
    }
}

impl Stopped {
    /// A store that goes on with what there is, at another address.
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
