//! A broker on a store that supports multipart uploads, and a client that sends parts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{App, Setup, id};
use crate::support::faulty_proxy::FaultyProxy;
use crate::support::gate::Gate;
use crate::support::lenient_store::LenientStore;
use crate::support::reply::Reply;
use crate::support::store::Store;

/// The minimum size of a part in S3, in bytes.
pub const MIN: usize = 5 << 20;

/// A broker and its store.
pub struct Scene {
    pub app: App,
    pub store: Store,
}

impl Scene {
    pub async fn new() -> Scene {
        Scene::with(Setup::new()).await
    }

    /// The same with other settings.
    pub async fn with(setup: Setup) -> Scene {
        let store = Store::start().await;
        let app = setup.store(&store).start().await;
        Scene { app, store }
    }

    /// With a gate between the broker and the store. Clients use the store directly.
    pub async fn gated(setup: Setup) -> (Scene, Gate) {
        let store = Store::start().await;
        let gate = Gate::new(store.addr());
        let setup = setup.store(&store).s3(gate.endpoint());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
        let app = setup.start().await;
        (Scene { app, store }, gate)
    }

    /// The same with a door, which can answer in place of the store.
    pub async fn behind_proxy(setup: Setup) -> (Scene, FaultyProxy) {
        let store = Store::start().await;
        let proxy = FaultyProxy::new(store.addr());
        let setup = setup.store(&store).s3(proxy.endpoint());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
        let app = setup.start().await;
        (Scene { app, store }, proxy)
    }

    /// With a store that ignores the conditions and checksums of completions. Clients use the store
    /// directly.
    pub async fn lenient_store(setup: Setup) -> (Scene, LenientStore) {
        Scene::behind(LenientStore::ignoring_conditions, setup).await
    }

    /// With a store that lists no checksums of parts.
    pub async fn forgetful(setup: Setup) -> (Scene, LenientStore) {
        Scene::behind(LenientStore::without_part_checksums, setup).await
    }

    async fn behind(fault: fn(&Store) -> LenientStore, setup: Setup) -> (Scene, LenientStore) {
        let store = Store::start().await;
        let lenient_store = fault(&store);
        let setup = setup.store(&store).s3(lenient_store.endpoint());
        let setup = setup.set("BROKER_S3_PUBLIC_ENDPOINT", store.endpoint());
        let app = setup.start().await;
        (Scene { app, store }, lenient_store)
    }

    /// Creates a session of one small part and sends the part.
    pub async fn sent(&self, path: &str, bytes: &str, more: Value) -> Value {
        let session = self.begin(path, bytes.len(), more).await;
        let part = &Scene::parts(&session)[0];
        self.send(part, bytes).await.expect_ok();
        session
    }

    /// S3's ids of the open multipart uploads, from the store itself.
    pub async fn open(&self) -> Vec<String> {
        let bucket = &self.app.bucket;
        let list = bucket.client.list_multipart_uploads().bucket(&bucket.name);
        let list = list.send().await.expect("a list of uploads");
        let uploads = list.uploads.unwrap_or_default().into_iter();
        uploads
            .map(|upload| upload.upload_id.expect("an id"))
            .collect()
    }

    /// Sends a part with the credentials of the store's owner, without the limits of a signed URL.
    pub async fn slip_in(&self, key: &str, number: i32, bytes: &str) {
        let id = self.open().await.pop().expect("an open upload");
        let bucket = &self.app.bucket;
        let part = bucket.client.upload_part().bucket(&bucket.name).key(key);
        let part = part.upload_id(id).part_number(number);
        let part = part.body(bytes.as_bytes().to_vec().into());
        part.send().await.expect("a part");
    }

    /// Creates a session of `size` bytes in parts of 5 MiB. `more` is added to the body.
    pub async fn begin(&self, path: &str, size: usize, more: Value) -> Value {
        let mut body = json!({"multipart": true, "part_size": MIN, "size": size});
        let more = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(more);
        self.app.create(path, body).await
    }

    /// The parts in the answer that describes a session.
    pub fn parts(session: &Value) -> &Vec<Value> {
        session["multipart"]["parts"].as_array().expect("parts")
    }

    /// Sends bytes to the URL of a part.
    pub async fn send(&self, part: &Value, bytes: impl Into<Vec<u8>>) -> Reply {
        let url = part["url"].as_str().expect("a URL");
        let mut put = self.app.http.put(url).body(bytes.into());
        for (name, value) in part["headers"].as_object().expect("headers") {
            put = put.header(name, value.as_str().expect("a header value"));
        }
        Reply::of(put).await
    }

    /// Sends those bytes of `whole` that belong to a part.
    pub async fn send_of(&self, part: &Value, whole: &[u8]) {
        let offset = part["offset"].as_u64().expect("an offset") as usize;
        let size = part["size"].as_u64().expect("a size") as usize;
        let bytes = whole[offset..offset + size].to_vec();
        self.send(part, bytes).await.expect_ok();
    }

    /// Asks for the URLs of parts.
    pub async fn ask(&self, session: &Value, body: Value) -> Reply {
        let path = format!("/uploads/{}/parts", id(session));
        self.app.post(&path, body).await
    }

    /// Asks for the URLs of parts and returns the parts.
    pub async fn asked(&self, session: &Value, body: Value) -> Vec<Value> {
        let answer = self.ask(session, body).await.expect(StatusCode::OK);
        answer["parts"].as_array().expect("parts").clone()
    }

    /// The uploaded and the missing parts of a session.
    pub async fn listed(&self, session: &Value) -> Value {
        let path = format!("/uploads/{}/parts", id(session));
        self.app.get(&path).await.expect(StatusCode::OK)
    }

    /// Acknowledges the session with a body.
    pub async fn acknowledge(&self, session: &Value, body: Value) -> Reply {
        let path = format!("/uploads/{}/acknowledge", id(session));
        self.app.post(&path, body).await
    }
}

/// Bytes that depend on their position, so that exchanged or shifted parts are noticed.
pub fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / 3 + at / 251) as u8).collect()
}

/// The CRC64NVME of the bytes, as S3 writes it.
pub fn crc64(bytes: &[u8]) -> Value {
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes);
    json!({"algorithm": "CRC64NVME", "value": STANDARD.encode(crc.to_be_bytes())})
}

/// The SHA-256 of the bytes, as S3 writes it.
pub fn sha256(bytes: &[u8]) -> Value {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    json!({"algorithm": "SHA256", "value": STANDARD.encode(digest)})
}
