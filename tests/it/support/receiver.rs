//! An HTTP server that receives webhooks, exports of traces or reports, on a port of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::observe::TIMEOUT;
use super::shared;

/// How the server answers a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// With this status and this header.
    Header(u16, String),
    /// With 200, once the test calls [`Receiver::release`].
    Hold,
    /// With 200 and a body that never ends.
    EndlessBody,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The path and the query.
    pub path: String,
    /// The body, in which bytes that are not UTF-8 are replaced.
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Delivery {
    /// Returns the value of a header.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name} in {self:#?}"))
    }

    /// Parses the body.
    #[track_caller]
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Returns the path of the dataset, and the number of the event within its upload.
    #[track_caller]
    pub fn subject(&self) -> (String, u32) {
        let event = self.event();
        let text = |name: &str| event[name].as_str().expect("a text").to_owned();
        (text("subject"), text("sequence").parse().expect("a number"))
    }
}

type Decide = dyn Fn(&Delivery) -> Answer + Send;

/// The server.
pub struct Receiver {
    address: SocketAddr,
    decide: Arc<Mutex<Box<Decide>>>,
    arrived: watch::Sender<Vec<Delivery>>,
    connections: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Receiver {
    /// Starts a server that answers with 204.
    pub fn new() -> Receiver {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("its address");
        listener.set_nonblocking(true).expect("a socket");
        let receiver = Receiver {
            address,
            decide: Arc::new(Mutex::new(Box::new(|_| Answer::Status(204)))),
            arrived: watch::Sender::new(Vec::new()),
            connections: watch::Sender::new(0),
            released: watch::Sender::new(false),
        };
        let (decide, arrived) = (Arc::clone(&receiver.decide), receiver.arrived.clone());
        let (connections, released) = (receiver.connections.clone(), receiver.released.clone());
        shared().spawn(async move {
            let listener = TcpListener::from_std(listener).expect("a socket of the runtime");
            while let Ok((client, _)) = listener.accept().await {
                connections.send_modify(|count| *count += 1);
                let (decide, arrived) = (Arc::clone(&decide), arrived.clone());
                let released = released.subscribe();
                shared().spawn(async move {
                    // A client that is gone needs no answer.
                    let _ = serve(client, &decide, &arrived, released).await;
                });
            }
        });
        receiver
    }

    /// Returns the address of the server.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the server.
    pub fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// Answers all further requests in this way.
    pub fn answer(&self, answer: Answer) {
        self.decide(move |_| answer.clone());
    }

    /// Answers each further request as `decide` says.
    pub fn decide(&self, decide: impl Fn(&Delivery) -> Answer + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// Answers the requests that are held.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// Returns the number of connections that were opened.
    pub fn connections(&self) -> usize {
        *self.connections.borrow()
    }

    /// Returns all requests so far, in the order of their arrival.
    pub fn all(&self) -> Vec<Delivery> {
        self.arrived.borrow().clone()
    }

    /// Waits until there are `count` requests, and returns all.
    pub async fn wait_for(&self, count: usize) -> Vec<Delivery> {
        let mut arrived = self.arrived.subscribe();
        let enough = arrived.wait_for(|all| all.len() >= count);
        let enough = tokio::time::timeout(TIMEOUT, enough).await.is_ok();
        let all = self.all();
        assert!(enough, "{} of {count} requests: {all:#?}", all.len());
        all
    }
}

async fn serve(
    client: TcpStream,
    decide: &Mutex<Box<Decide>>,
    arrived: &watch::Sender<Vec<Delivery>>,
    mut released: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    loop {
        let Some(delivery) = read(&mut client).await? else {
            return Ok(());
        };
        let answer = decide.lock().unwrap()(&delivery);
        arrived.send_modify(|all| all.push(delivery));
        let (status, header) = match answer {
            Answer::Status(status) => (status, String::new()),
            Answer::Header(status, header) => (status, format!("{header}\r\n")),
            Answer::Hold => {
                let _ = released.wait_for(|released| *released).await;
                (200, String::new())
            }
            Answer::EndlessBody => {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
                client.write_all(head).await?;
                loop {
                    client.write_all(&[b'x'; 4096]).await?;
                }
            }
        };
        let length = if status == 204 {
            ""
        } else {
            "content-length: 0\r\n"
        };
        let head = format!("HTTP/1.1 {status} Status\r\n{header}{length}\r\n");
        client.write_all(head.as_bytes()).await?;
    }
}

/// Reads a request; `None` at the end of the connection.
async fn read(client: &mut BufReader<TcpStream>) -> std::io::Result<Option<Delivery>> {
    let mut line = String::new();
    if client.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let path = line
        .strip_prefix("POST ")
        .and_then(|rest| rest.split(' ').next());
    let path = path.unwrap_or_else(|| panic!("no POST: {line}")).to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        client.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length");
    let length = length.expect("a length").parse().expect("a number");
    let mut bytes = vec![0; length];
    client.read_exact(&mut bytes).await?;
    Ok(Some(Delivery {
        headers,
        path,
        body: String::from_utf8_lossy(&bytes).into_owned(),
        bytes,
    }))
}
