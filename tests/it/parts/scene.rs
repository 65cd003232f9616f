//! A broker on a store that knows all of multipart uploads, and a client that sends parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::careless::Careless;
use crate::support::door::Door;
use crate::support::gate::Gate;
use crate::support::reply::Reply;
use crate::support::store::Store;

/// The smallest part of S3, in bytes.
pub const MIN: usize = 5 << 20;

/// A broker, and its store.
pub struct Scene {
    pub app: App,
    pub store: Store,
}

impl Scene {
    pub async fn new() -> Scene {
        Scene::with(Setup::new()).await
    }

    /// With other settings.
    pub async fn with(setup: Setup) -> Scene {
        let store = Store::start().await;
        let app = setup.store(&store).start().await;
        Scene { app, store }
    }

    /// With a gate between the broker and the store, which clients go past.
    pub async fn gated(setup: Setup) -> (Scene, Gate) {
        let store = Store::start().await;
        let gate = Gate::new(store.addr());
        let setup = setup.store(&store).s3(gate.endpoint());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
        let app = setup.start().await;
        (Scene { app, store }, gate)
    }

    /// The same with a door.
    pub async fn behind_a_door(setup: Setup) -> (Scene, Door) {
        let store = Store::start().await;
        let door = Door::to(store.addr());
        let setup = setup.store(&store).s3(door.endpoint());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
        let app = setup.start().await;
        (Scene { app, store }, door)
    }

    /// On a store that ignores the conditions and checksums of completions; clients go past it.
    pub async fn careless(setup: Setup) -> (Scene, Careless) {
        Scene::behind(Careless::before, setup).await
    }

    /// On a store that lists no checksums of parts.
    pub async fn forgetful(setup: Setup) -> (Scene, Careless) {
        Scene::behind(Careless::forgetful, setup).await
    }

    async fn behind(fault: fn(&Store) -> Careless, setup: Setup) -> (Scene, Careless) {
        let store = Store::start().await;
        let careless = fault(&store);
        let setup = setup.store(&store).s3(careless.endpoint());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
        let app = setup.start().await;
        (Scene { app, store }, careless)
    }

    /// A session of one small part, which has come.
    pub async fn sent(&self, path: &str, bytes: &str, more: Value) -> Value {
        let session = self.begin(path, bytes.len(), more).await;
        let part = &Scene::parts(&session)[0];
        self.send(part, bytes).await.expect_ok();
        session
    }

    /// What S3 calls the uploads that are open, past the broker.
    pub async fn open(&self) -> Vec<String> {
        let bucket = &self.app.bucket;
        let list = bucket.client.list_multipart_uploads().bucket(&bucket.name);
        let list = list.send().await.expect("a list of uploads");
        let uploads = list.uploads.unwrap_or_default().into_iter();
        uploads
            .map(|upload| upload.upload_id.expect("an id"))
            .collect()
    }

    /// Sends a part with the credentials of the store's owner, who is held to nothing.
    pub async fn slip_in(&self, key: &str, number: i32, bytes: &str) {
        let id = self.open().await.pop().expect("an open upload");
        let bucket = &self.app.bucket;
        let part = bucket.client.upload_part().bucket(&bucket.name).key(key);
        let part = part.upload_id(id).part_number(number);
        let part = part.body(bytes.as_bytes().to_vec().into());
        part.send().await.expect("a part");
    }

    /// A session of `size` bytes in parts of 5 MiB, with `more` in the body.
    pub async fn begin(&self, path: &str, size: usize, more: Value) -> Value {
        let mut body = json!({"multipart": true, "part_size": MIN, "size": size});
        let more = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(more);
        self.app.create(path, body).await
    }

    /// The parts of a session.
    pub fn parts(session: &Value) -> &Vec<Value> {
        session["multipart"]["parts"].as_array().expect("parts")
    }

    /// Sends bytes to where a part goes.
    pub async fn send(&self, part: &Value, bytes: impl Into<Vec<u8>>) -> Reply {
        let url = part["url"].as_str().expect("a URL");
        let mut put = self.app.http.put(url).body(bytes.into());
        for (name, value) in part["headers"].as_object().expect("headers") {
            put = put.header(name, value.as_str().expect("a header value"));
        }
        Reply::of(put).await
    }

    /// Sends the bytes of a part that they are cut into.
    pub async fn send_of(&self, part: &Value, whole: &[u8]) {
        let offset = part["offset"].as_u64().expect("an offset") as usize;
        let size = part["size"].as_u64().expect("a size") as usize;
        let bytes = whole[offset..offset + size].to_vec();
        self.send(part, bytes).await.expect_ok();
    }

    /// Asks for parts.
    pub async fn ask(&self, session: &Value, body: Value) -> Reply {
        let path = format!("/uploads/{}/parts", id(session));
        self.app.post(&path, body).await
    }

    /// The parts that were asked for.
    pub async fn asked(&self, session: &Value, body: Value) -> Vec<Value> {
        let answer = self.ask(session, body).await.expect(StatusCode::OK);
        answer["parts"].as_array().expect("parts").clone()
    }

    /// What is there, and what is missing.
    pub async fn listed(&self, session: &Value) -> Value {
        let path = format!("/uploads/{}/parts", id(session));
        self.app.get(&path).await.expect(StatusCode::OK)
    }

    /// Acknowledges with a body.
    pub async fn acknowledge(&self, session: &Value, body: Value) -> Reply {
        let path = format!("/uploads/{}/acknowledge", id(session));
        self.app.post(&path, body).await
    }
}

/// Bytes that differ everywhere.
pub fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / 3 + at / 251) as u8).collect()
}

/// CRC64NVME, as S3 writes it.
pub fn crc64(bytes: &[u8]) -> Value {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes);
    json!({"algorithm": "CRC64NVME", "value": STANDARD.encode(crc.to_be_bytes())})
}

/// SHA256, as S3 writes it.
pub fn sha256(bytes: &[u8]) -> Value {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    json!({"algorithm": "SHA256", "value": STANDARD.encode(digest)})
}
