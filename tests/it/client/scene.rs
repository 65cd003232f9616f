//! A broker, its store, and the client binary in a temporary folder.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::fault_proxy::FaultProxy;
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::process::{FinishedProcess, Run};
use crate::support::seeded_rng::SeededRng;
use crate::support::store::Store;

/// Everything that a test of the client needs.
pub struct Scene {
    pub app: App,
    /// The proxy between the client and the store.
    pub proxy: FaultProxy,
    folder: tempfile::TempDir,
    /// The folder where the client keeps its records.
    state: tempfile::TempDir,
    pub store: Option<Store>,
}

impl Scene {
    /// A default broker, with a store that computes a CRC64NVME by itself, as S3 does.
    pub async fn new() -> Scene {
        Scene::of(Setup::new()).await
    }

    /// A broker with other settings.
    pub async fn of(setup: Setup) -> Scene {
        let store = Store::start().await;
        let setup = setup.store(&store);
        Scene::at(setup, &store.endpoint(), Some(store)).await
    }

    /// A broker that reaches the store through the proxy, as the client does.
    pub async fn behind_proxy() -> Scene {
        let store = Store::start().await;
        let proxy = FaultProxy::new(store.addr());
        let setup = Setup::new().store(&store).s3(proxy.endpoint());
        Scene::with(setup.start().await, proxy, Some(store))
    }

    /// A broker with another kind of store, which computes no checksum by itself.
    pub async fn with_other_store() -> Scene {
        Scene::at(Setup::new(), &cloud::endpoint(), None).await
    }

    async fn at(setup: Setup, s3: &str, store: Option<Store>) -> Scene {
        let address = s3.trim_start_matches("http://").parse();
        let proxy = FaultProxy::new(address.expect("an address"));
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", proxy.endpoint());
        Scene::with(setup.start().await, proxy, store)
    }

    fn with(app: App, proxy: FaultProxy, store: Option<Store>) -> Scene {
        Scene {
            app,
            store,
            proxy,
            folder: tempfile::tempdir().expect("a temporary folder"),
            state: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The folder that the client runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command of the client, ready to run.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::new(args)
            .set("UPLOAD_BROKER_URL", &self.app.url)
            .set("UPLOAD_BROKER_KEY", &self.app.key)
            .set("HOME", self.folder().display())
            .set("XDG_STATE_HOME", self.state.path().display())
            .current_dir(self.folder())
    }

    /// Runs a command to its end. Asserts that its output shows neither the key nor a URL.
    pub async fn end(&self, args: &[&str]) -> FinishedProcess {
        let ended = self.run(args).finish().await;
        let said = format!("{}{}", ended.out, ended.err);
        assert!(!said.contains(&self.app.key), "it shows the key: {said}");
        assert!(!said.contains("X-Amz-"), "it shows a URL: {said}");
        ended
    }

    /// Uploads a dataset with these bytes.
    pub async fn dataset(&self, path: &str, bytes: &[u8]) -> Value {
        let (body, size) = (bytes.to_vec(), json!({"size": bytes.len()}));
        let session = self.app.create(path, size).await;
        self.app.put(&session, body).await.expect_ok();
        let acknowledged = self.app.acknowledge(&session).await;
        self.proxy.take();
        acknowledged.expect(reqwest::StatusCode::OK)
    }

    /// The number of uploads of which the client keeps a record.
    pub fn remembered(&self) -> usize {
        std::fs::read_dir(self.memory()).map_or(0, Iterator::count)
    }

    /// The folder of these records.
    pub fn memory(&self) -> PathBuf {
        self.state.path().join("upload-broker/uploads")
    }

    /// Writes a file into the client's folder.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let file = self.folder().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// The bytes of the object at a path, read without the broker.
    pub async fn stored(&self, path: &str) -> Vec<u8> {
        self.app.bucket.get(path.trim_start_matches('/')).await
    }

    /// The uploads of a path, newest first.
    pub async fn uploads(&self, path: &str) -> Vec<Value> {
        let listed = self.app.get(&format!("/uploads?path={path}")).await;
        let listed = listed.expect(reqwest::StatusCode::OK);
        listed.as_array().expect("an array").clone()
    }

    /// The bytes of a file in the client's folder.
    #[track_caller]
    pub fn read(&self, name: &str) -> Vec<u8> {
        let file = self.folder().join(name);
        std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The names in the client's folder.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder()).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .collect();
        names.sort();
        names
    }

    /// The hidden file of an unfinished download, if there is one.
    pub fn part(&self) -> Option<PathBuf> {
        let names = self.names();
        let name = names.iter().find(|name| name.ends_with(".part"))?;
        Some(self.folder().join(name))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Stalled connections must not wait without end.
        self.proxy.pass();
    }
}

/// Pseudo-random bytes that are determined by the seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut rng = SeededRng(seed);
    (0..length).map(|_| rng.below(256) as u8).collect()
}

/// The lines of an output, each parsed as JSON.
#[track_caller]
pub fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?} in {text}"))
    };
    text.lines().map(line).collect()
}
