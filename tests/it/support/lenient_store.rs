//! Stores that implement less than S3. They list no checksums of parts. One of them also ignores the condition
//! and the object checksum of CompleteMultipartUpload, as Ceph RGW 16 and the MinIO gateways do. All other
//! requests are forwarded to the store behind them.

use std::net::SocketAddr;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::cloud;
use super::faulty_proxy::head_of;
use super::shared;
use super::store::Store;

/// What a store does not implement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limitation {
    CompletionChecks,
    PartChecksums,
}

/// Such a store, on its own port.
pub struct LenientStore {
    addr: SocketAddr,
    /// Whether completions are blocked.
    held: watch::Sender<bool>,
    /// The number of completions received.
    come: watch::Receiver<u32>,
}

impl LenientStore {
    /// Starts a store that ignores the condition and checksum of completions, and lists no checksums of parts.
    pub fn ignoring_conditions(store: &Store) -> LenientStore {
        LenientStore::with(store, Limitation::CompletionChecks)
    }

    /// Starts a store that lists no checksums of parts.
    pub fn without_part_checksums(store: &Store) -> LenientStore {
        LenientStore::with(store, Limitation::PartChecksums)
    }

    fn with(store: &Store, limitation: Limitation) -> LenientStore {
        let (held, holds) = watch::channel(false);
        let (comes, come) = watch::channel(0);
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let addr = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a quick socket");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        let upstream = store.addr();
        shared().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let connection = Connection {
                    limitation,
                    upstream,
                    holds: holds.clone(),
                    comes: comes.clone(),
                };
                shared().spawn(connection.serve(client));
            }
        });
        LenientStore { addr, held, come }
    }

    /// Returns the HTTP endpoint of the store.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Blocks completions from now on.
    pub fn block(&self) {
        self.held.send_replace(true);
    }

    /// Waits until a completion has been received.
    pub async fn completion_waits(&self) {
        let mut come = self.come.clone();
        let come = come.wait_for(|count| *count > 0).await;
        come.expect("the store's task");
    }

    /// Executes the blocked completions.
    pub fn release(&self) {
        self.held.send_replace(false);
    }
}

/// A connection with one request.
struct Connection {
    limitation: Limitation,
    upstream: SocketAddr,
    holds: watch::Receiver<bool>,
    comes: watch::Sender<u32>,
}

impl Connection {
    async fn serve(mut self, mut client: TcpStream) {
        let Some(mut head) = head_of(&mut client).await else {
            return;
        };
        let text = String::from_utf8_lossy(&head).into_owned();
        let target = text.split(' ').nth(1).unwrap_or_default();
        let is_completion = text.starts_with("POST ") && target.contains("uploadId=");
        if self.limitation == Limitation::CompletionChecks && is_completion {
            let body = content_length(&text);
            let mut ignored = vec![0; body];
            if client.read_exact(&mut ignored).await.is_err() {
                return;
            }
            self.comes.send_modify(|count| *count += 1);
            self.holds.wait_for(|held| !held).await.expect("the test");
            let answer = self.complete(target).await;
            let _ = client.write_all(answer.as_bytes()).await;
            let _ = client.shutdown().await;
            return;
        }
        let end = head.len() - 2;
        head.splice(end.., *b"connection: close\r\n\r\n");
        if let Ok(mut server) = TcpStream::connect(self.upstream).await
            && server.write_all(&head).await.is_ok()
        {
            if target.contains("x-id=ListParts") {
                let mut answer = String::new();
                server.read_to_string(&mut answer).await.expect("a listing");
                let _ = client.write_all(without_checksums(answer).as_bytes()).await;
                let _ = client.shutdown().await;
                return;
            }
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    }

    /// Completes the upload with all existing parts, and replaces any present object.
    async fn complete(&self, target: &str) -> String {
        let url = url::Url::parse(&format!("http://{}{target}", self.upstream)).expect("a URL");
        let (bucket, key) = url.path()[1..].split_once('/').expect("a bucket and a key");
        let mut query = url.query_pairs();
        let (_, id) = query
            .find(|(name, _)| name == "uploadId")
            .expect("an upload's id");
        let client = cloud::s3(&format!("http://{}", self.upstream));
        let list = client.list_parts().bucket(bucket).key(key).upload_id(&*id);
        let listed = list.send().await.expect("a list of parts");
        let parts = listed.parts.unwrap_or_default().into_iter().map(|part| {
            CompletedPart::builder()
                .set_part_number(part.part_number)
                .set_e_tag(part.e_tag)
                .set_checksum_sha256(part.checksum_sha256)
                .build()
        });
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts.collect()));
        let complete = (client.complete_multipart_upload())
            .bucket(bucket)
            .key(key)
            .upload_id(&*id)
            .multipart_upload(all.build());
        let made = complete.send().await.expect("an object");
        let etag = made.e_tag.expect("an ETag");
        format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/xml\r\n\r\n\
             <CompleteMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key>\
             <ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        )
    }
}

/// Removes the checksums from a listing of parts.
fn without_checksums(mut answer: String) -> String {
    for name in ["SHA1", "SHA256", "CRC32", "CRC32C", "CRC64NVME"] {
        let (start, end) = (format!("<Checksum{name}>"), format!("</Checksum{name}>"));
        while let (Some(from), Some(to)) = (answer.find(&start), answer.find(&end)) {
            answer.replace_range(from..to + end.len(), "");
        }
    }
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head = head.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default();
        assert!(
            !name.eq_ignore_ascii_case("transfer-encoding"),
            "the listing is not chunked"
        );
        !name.eq_ignore_ascii_case("content-length")
    });
    let head: Vec<_> = head.collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}

/// Returns the length of the body.
fn content_length(head: &str) -> usize {
    let header = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    header.unwrap_or_default()
}
