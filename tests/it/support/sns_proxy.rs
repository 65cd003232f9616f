//! A proxy in front of SNS that parses each call and executes the action that a rule chooses: it forwards the
//! call, rejects it, drops it or its response, or rejects some of its entries.
//!
//! It implements the wire format of SNS (the Query protocol), so that the broker uses its real client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_sdk_sns::types::PublishBatchRequestEntry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::cloud;
use super::inbox::sns;
use super::process::TIMEOUT;
use super::shared;

/// One entry of a PublishBatch call.
#[derive(Clone, Debug, Default)]
pub struct SentEntry {
    /// The id of the event.
    pub id: String,
    /// The envelope.
    pub message: String,
    group: Option<String>,
    deduplication: Option<String>,
}

/// The action that is executed for a call.
#[derive(Clone, Debug)]
pub enum CallAction {
    /// Forwards the call and the response.
    Forward,
    /// Forwards the call, and closes the connection instead of forwarding the response.
    DropResponse,
    /// Forwards the call, and never sends a response.
    WithholdResponse,
    /// Neither forwards the call nor sends a response.
    Ignore,
    /// Responds with an error of SNS: status and code.
    Reject(u16, &'static str),
    /// Rejects these entries, with a code and the sender-fault flag, and forwards the others.
    RejectEntries(Vec<(String, &'static str, bool)>),
}

/// Chooses the action for the entries of a call.
type Rule = dyn Fn(&[SentEntry]) -> CallAction + Send + Sync;

/// The proxy.
pub struct SnsProxy {
    addr: SocketAddr,
    rule: Arc<watch::Sender<Arc<Rule>>>,
    calls: watch::Receiver<Vec<Vec<SentEntry>>>,
}

impl SnsProxy {
    /// Starts a proxy with a rule.
    pub fn new(rule: impl Fn(&[SentEntry]) -> CallAction + Send + Sync + 'static) -> SnsProxy {
        let rule: Arc<Rule> = Arc::new(rule);
        let rule = Arc::new(watch::channel(rule).0);
        let (seen, calls) = watch::channel(Vec::new());
        let _inside = shared().enter();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener.set_nonblocking(true).expect("not blocking");
        let listener = TcpListener::from_std(listener).expect("a socket for the runtime");
        let addr = listener.local_addr().expect("its address");
        let seen = Arc::new(seen);
        let rules = Arc::clone(&rule);
        shared().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (seen, rules) = (Arc::clone(&seen), Arc::clone(&rules));
                // A closed connection is not an error of the proxy.
                shared().spawn(async move { drop(serve(client, &seen, &rules).await) });
            }
        });
        SnsProxy { addr, rule, calls }
    }

    /// Returns the HTTP endpoint of the proxy.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Replaces the rule.
    pub fn set_rule(&self, rule: impl Fn(&[SentEntry]) -> CallAction + Send + Sync + 'static) {
        self.rule.send_replace(Arc::new(rule));
    }

    /// Returns the entries of all calls so far.
    pub fn calls(&self) -> Vec<Vec<SentEntry>> {
        self.calls.borrow().clone()
    }

    /// Waits until the proxy has received `count` calls, and SNS has processed those that are forwarded.
    pub async fn wait_for_calls(&mut self, count: usize) {
        let came = self.calls.wait_for(|calls| calls.len() >= count);
        let came = tokio::time::timeout(TIMEOUT, came).await;
        came.expect("a call").expect("the task of the proxy");
    }
}

async fn serve(
    mut client: TcpStream,
    seen: &watch::Sender<Vec<Vec<SentEntry>>>,
    rule: &watch::Sender<Arc<Rule>>,
) -> io::Result<()> {
    let mut rest = Vec::new();
    loop {
        let (head, body) = read(&mut client, &mut rest).await?;
        let sent = entries(&body);
        let rule = Arc::clone(&rule.borrow());
        let action = rule(&sent);
        let record = || seen.send_modify(|calls| calls.push(sent.clone()));
        match action {
            CallAction::Forward | CallAction::DropResponse | CallAction::WithholdResponse => {
                let answer = forward(&head, &body).await?;
                record();
                match action {
                    CallAction::DropResponse => return Ok(()),
                    CallAction::WithholdResponse => std::future::pending().await,
                    _ => client.write_all(&answer).await?,
                }
            }
            CallAction::Ignore => {
                record();
                std::future::pending().await
            }
            CallAction::Reject(status, code) => {
                record();
                let kind = if status < 500 { "Sender" } else { "Receiver" };
                let error = format!(
                    "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code>\
                     <Message>sent by the proxy</Message></Error></ErrorResponse>"
                );
                client.write_all(&http(status, &error)).await?;
            }
            CallAction::RejectEntries(failing) => {
                let answer = publish(&body, &sent, &failing).await;
                record();
                client.write_all(&http(200, &answer)).await?;
            }
        }
    }
}

/// Reads the head and the body of the next HTTP message. Bytes after it stay in `rest`.
async fn read(stream: &mut TcpStream, rest: &mut Vec<u8>) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let head = loop {
        if let Some(end) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
            let after = rest.split_off(end + 4);
            break std::mem::replace(rest, after);
        }
        if stream.read_buf(rest).await? == 0 {
            return Err(gone());
        }
    };
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().expect("a length"));
    while rest.len() < length {
        if stream.read_buf(rest).await? == 0 {
            return Err(gone());
        }
    }
    let after = rest.split_off(length);
    let body = std::mem::replace(rest, after);
    Ok((head, body))
}

/// Forwards a call unchanged, and returns the response of SNS.
async fn forward(head: &[u8], body: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(cloud::address()).await?;
    server.write_all(head).await?;
    server.write_all(body).await?;
    let (mut head, body) = read(&mut server, &mut Vec::new()).await?;
    head.extend(body);
    Ok(head)
}

fn http(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} sent by the proxy\r\ncontent-type: text/xml\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Parses the entries of a PublishBatch.
fn entries(body: &[u8]) -> Vec<SentEntry> {
    let mut all: Vec<SentEntry> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(body) {
        let Some(rest) = name.strip_prefix("PublishBatchRequestEntries.member.") else {
            continue;
        };
        let (number, field) = rest.split_once('.').expect("a field");
        let number: usize = number.parse().expect("a number");
        all.resize(all.len().max(number), SentEntry::default());
        let sent = &mut all[number - 1];
        match field {
            "Id" => sent.id = value.into(),
            "Message" => sent.message = value.into(),
            "MessageGroupId" => sent.group = Some(value.into()),
            "MessageDeduplicationId" => sent.deduplication = Some(value.into()),
            _ => {}
        }
    }
    all
}

/// Publishes the entries that are not rejected, and returns a response for all.
async fn publish(
    body: &[u8],
    sent: &[SentEntry],
    failing: &[(String, &'static str, bool)],
) -> String {
    let arn = url::form_urlencoded::parse(body).find(|(name, _)| name == "TopicArn");
    let (_, arn) = arn.expect("a topic");
    let fails = |sent: &SentEntry| failing.iter().find(|(id, ..)| *id == sent.id);
    let good: Vec<_> = (sent.iter().filter(|sent| fails(sent).is_none()))
        .map(|sent| {
            PublishBatchRequestEntry::builder()
                .id(&sent.id)
                .message(&sent.message)
                .set_message_group_id(sent.group.clone())
                .set_message_deduplication_id(sent.deduplication.clone())
                .build()
                .expect("an entry")
        })
        .collect();
    if !good.is_empty() {
        let call = sns(&cloud::endpoint()).publish_batch().topic_arn(arn);
        let call = call.set_publish_batch_request_entries(Some(good));
        let done = call.send().await.expect("SNS");
        assert!(done.failed().is_empty(), "{done:#?}");
    }
    let successful: String = (sent.iter().filter(|sent| fails(sent).is_none()))
        .map(|sent| {
            format!(
                "<member><Id>{0}</Id><MessageId>{0}</MessageId></member>",
                sent.id
            )
        })
        .collect();
    let failed: String = (sent.iter().filter_map(fails))
        .map(|(id, code, sender)| {
            format!(
                "<member><Id>{id}</Id><Code>{code}</Code><Message>sent by the proxy</Message>\
                 <SenderFault>{sender}</SenderFault></member>"
            )
        })
        .collect();
    format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
         <PublishBatchResult><Successful>{successful}</Successful><Failed>{failed}</Failed>\
         </PublishBatchResult></PublishBatchResponse>"
    )
}
