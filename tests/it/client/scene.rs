//! A broker, its store, and the binary in a folder of its own.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::meddler::Meddler;
use crate::support::app::{App, Setup};
use crate::support::cloud;
use crate::support::dice::Dice;
use crate::support::process::{Ended, Run};
use crate::support::store::Store;

/// Everything that a client needs.
pub struct Scene {
    pub app: App,
    /// What stands between the client and the store.
    pub meddler: Meddler,
    folder: tempfile::TempDir,
    /// What the client remembers.
    state: tempfile::TempDir,
    pub store: Option<Store>,
}

impl Scene {
    /// The usual broker, with a store that computes a CRC64NVME by itself, as S3 does.
    pub async fn new() -> Scene {
        Scene::of(Setup::new()).await
    }

    /// With another broker than the usual one.
    pub async fn of(setup: Setup) -> Scene {
        let store = Store::start().await;
        let setup = setup.store(&store);
        Scene::at(setup, &store.endpoint(), Some(store)).await
    }

    /// With a broker that goes the same way to the store as the client.
    pub async fn through() -> Scene {
        let store = Store::start().await;
        let meddler = Meddler::new(store.addr());
        let setup = Setup::new().store(&store).s3(meddler.endpoint());
        Scene::with(setup.start().await, meddler, Some(store))
    }

    /// With somebody else's store.
    pub async fn elsewhere() -> Scene {
        Scene::at(Setup::new(), &cloud::endpoint(), None).await
    }

    async fn at(setup: Setup, s3: &str, store: Option<Store>) -> Scene {
        let address = s3.trim_start_matches("http://").parse();
        let meddler = Meddler::new(address.expect("an address"));
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", meddler.endpoint());
        Scene::with(setup.start().await, meddler, store)
    }

    fn with(app: App, meddler: Meddler, store: Option<Store>) -> Scene {
        Scene {
            app,
            store,
            meddler,
            folder: tempfile::tempdir().expect("a temporary folder"),
            state: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The folder that the client runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A command of the client.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::new(args)
            .set("UPLOAD_BROKER_URL", &self.app.url)
            .set("UPLOAD_BROKER_KEY", &self.app.key)
            .set("HOME", self.folder().display())
            .set("XDG_STATE_HOME", self.state.path().display())
            .inside(self.folder())
    }

    /// The same, run to its end.
    pub async fn end(&self, args: &[&str]) -> Ended {
        let ended = self.run(args).end().await;
        let said = format!("{}{}", ended.out, ended.err);
        assert!(!said.contains(&self.app.key), "it shows the key: {said}");
        assert!(!said.contains("X-Amz-"), "it shows a URL: {said}");
        ended
    }

    /// A dataset with these bytes.
    pub async fn dataset(&self, path: &str, bytes: &[u8]) -> Value {
        let (body, size) = (bytes.to_vec(), json!({"size": bytes.len()}));
        let session = self.app.create(path, size).await;
        self.app.put(&session, body).await.expect_ok();
        let acknowledged = self.app.acknowledge(&session).await;
        self.meddler.take();
        acknowledged.expect(reqwest::StatusCode::OK)
    }

    /// How many uploads the client remembers.
    pub fn remembered(&self) -> usize {
        std::fs::read_dir(self.memory()).map_or(0, Iterator::count)
    }

    /// Where it remembers them.
    pub fn memory(&self) -> PathBuf {
        self.state.path().join("upload-broker/uploads")
    }

    /// A file in the client's folder, to be uploaded.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let file = self.folder().join(name);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(&file, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// The bytes of the dataset at a path, past the broker.
    pub async fn stored(&self, path: &str) -> Vec<u8> {
        self.app.bucket.get(path.trim_start_matches('/')).await
    }

    /// The uploads of a path, newest first.
    pub async fn uploads(&self, path: &str) -> Vec<Value> {
        let listed = self.app.get(&format!("/uploads?path={path}")).await;
        let listed = listed.expect(reqwest::StatusCode::OK);
        listed.as_array().expect("an array").clone()
    }

    /// A file of the client's folder.
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

    /// The hidden file of a download that goes on, where there is one.
    pub fn part(&self) -> Option<PathBuf> {
        let names = self.names();
        let name = names.iter().find(|name| name.ends_with(".part"))?;
        Some(self.folder().join(name))
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Whoever waits at the meddler must not wait for ever.
        self.meddler.pass();
    }
}

/// Bytes that nobody could guess, but for the seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut dice = Dice(seed);
    (0..length).map(|_| dice.roll(256) as u8).collect()
}

/// The lines of an output, each one JSON.
#[track_caller]
pub fn lines(text: &str) -> Vec<Value> {
    let line = |line: &str| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?} in {text}"))
    };
    text.lines().map(line).collect()
}
