//! Tests of the test support: databases are created and dropped, S3 enforces signatures,
//! notifications arrive, and a gate makes a service unavailable.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::cloud::{self, Bucket};
use crate::support::database::{self, Database, Template};
use crate::support::gate::Gate;
use crate::support::inbox::Inbox;
use crate::support::python;

static FILLED: Template = Template::new(|url| {
    Box::pin(async move {
        let sql = "CREATE TABLE stones (weight int); INSERT INTO stones VALUES (7)";
        let client = database::connect(&url).await;
        client.batch_execute(sql).await.expect("the migration");
    })
});

async fn count(sql: &str, url: &str) -> i64 {
    let client = database::connect(url).await;
    let row = client.query_one(sql, &[]).await;
    row.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        .get(0)
}

#[tokio::test]
async fn each_test_gets_its_own_database_and_drops_it() {
    let stones = "SELECT count(*) FROM stones";
    let (one, other) = (Database::copy_of(&FILLED), Database::copy_of(&FILLED));
    let client = database::connect(one.url()).await;
    client.batch_execute("DELETE FROM stones").await.unwrap();
    assert_eq!(count(stones, one.url()).await, 0);
    assert_eq!(count(stones, other.url()).await, 1);

    // The database is dropped at the end of the test, even though `client` is still connected.
    let gone = format!(
        "SELECT count(*) FROM pg_database WHERE datname = '{}'",
        one.name()
    );
    assert_eq!(count(&gone, other.url()).await, 1);
    drop(one);
    assert_eq!(count(&gone, other.url()).await, 0);
}

#[tokio::test]
async fn s3_accepts_only_the_signed_put() {
    let bucket = Bucket::new().await;
    let put = bucket.client.put_object().bucket(&bucket.name);
    let signed = put
        .key("data/employees.csv")
        .content_type("text/csv")
        .content_length(5)
        .if_none_match("*")
        .presigned(PresigningConfig::expires_in(Duration::from_secs(60)).unwrap())
        .await
        .unwrap();
    let send = async |url: &str, body: &'static str, kind: &str| {
        let request = reqwest::Client::new().put(url).body(body);
        let request = request.header("content-type", kind);
        let answer = request.header("if-none-match", "*").send().await.unwrap();
        answer.status().as_u16()
    };
    let other_key = signed.uri().replace("employees", "salaries");
    assert_eq!(
        send(&other_key, "a,b\n1", "text/csv").await,
        403,
        "another key"
    );
    assert_eq!(send(signed.uri(), "a,b\n12", "text/csv").await, 403, "size");
    assert_eq!(send(signed.uri(), "a,b\n1", "text/html").await, 403, "type");
    assert!(bucket.head("data/employees.csv").await.is_none());

    assert_eq!(send(signed.uri(), "a,b\n1", "text/csv").await, 200);
    assert_eq!(
        send(signed.uri(), "a,b\n2", "text/csv").await,
        412,
        "second"
    );
    assert_eq!(bucket.get("data/employees.csv").await, b"a,b\n1");
    let head = bucket.head("data/employees.csv").await.unwrap();
    assert_eq!(head.content_type(), Some("text/csv"));
}

#[tokio::test]
async fn published_messages_arrive_with_their_attributes() {
    let inbox = Inbox::new().await;
    let kind = aws_sdk_sns::types::MessageAttributeValue::builder()
        .data_type("String")
        .string_value("dataset.uploaded")
        .build()
        .unwrap();
    for n in 1..=12 {
        let publish = inbox.sns.publish().topic_arn(&inbox.topic_arn);
        let publish = publish.message(format!(r#"{{"n":{n}}}"#));
        let sent = publish.message_attributes("type", kind.clone()).send();
        sent.await.expect("a published message");
    }
    let messages = inbox.receive_until(12, Duration::from_secs(20)).await;
    let mut numbers: Vec<i64> = messages
        .iter()
        .map(|message| message.json()["n"].as_i64().expect("a number"))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    assert_eq!(messages[0].attributes["type"], "dataset.uploaded");
}

#[tokio::test]
async fn gate_closes_and_opens_at_once() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gate = Gate::new(upstream.local_addr().unwrap());
    let through = async || {
        let mut client = TcpStream::connect(gate.addr()).await.unwrap();
        client.write_all(b"?").await.unwrap();
        let (mut server, _) = upstream.accept().await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        (client, server)
    };

    let (mut client, mut server) = through().await;
    gate.close().await;
    assert_eq!(client.read(&mut [0]).await.unwrap_or(0), 0, "client side");
    assert_eq!(server.read(&mut [0]).await.unwrap_or(0), 0, "server side");
    let refused = TcpStream::connect(gate.addr()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    gate.restore();
    through().await;
}

#[tokio::test]
async fn gate_can_hold_delay_and_break_connections() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gate = Gate::new(upstream.local_addr().unwrap());
    let mut client = TcpStream::connect(gate.addr()).await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    let mut byte = [0];

    gate.block();
    client.write_all(b"1").await.unwrap();
    gate.request_waits().await;
    let early = server.try_read(&mut byte).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    // The request passes, the answer does not.
    gate.block_responses();
    server.read_exact(&mut byte).await.unwrap();
    server.write_all(b"2").await.unwrap();
    gate.response_waits().await;
    let early = client.try_read(&mut byte).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    gate.restore();
    client.read_exact(&mut byte).await.unwrap();
    assert_eq!(byte, *b"2");

    gate.delay(Duration::from_millis(50));
    let sent = std::time::Instant::now();
    client.write_all(b"3").await.unwrap();
    server.read_exact(&mut byte).await.unwrap();
    assert!(sent.elapsed() >= Duration::from_millis(50));

    gate.drop_connections().await;
    assert_eq!(client.read(&mut byte).await.unwrap_or(0), 0);
    TcpStream::connect(gate.addr()).await.unwrap();
}

#[tokio::test]
async fn closed_gate_affects_only_its_own_clients() {
    let database = Database::empty();
    let gate = Gate::new(database::address());
    let url = database.url_through(gate.addr());
    let client = database::connect(&url).await;
    gate.close().await;
    client.simple_query("SELECT 1").await.unwrap_err();
    assert_eq!(count("SELECT 1::int8", database.url()).await, 1);
    gate.restore();
    assert_eq!(count("SELECT 1::int8", &url).await, 1);

    let bucket = Bucket::new().await;
    let gate = Gate::new(cloud::address());
    let behind = cloud::s3(&gate.endpoint());
    let put = async || {
        let put = behind.put_object().bucket(&bucket.name).key("k");
        put.body(ByteStream::from_static(b"v")).send().await.is_ok()
    };
    assert!(put().await);
    gate.close().await;
    assert!(!put().await);
    gate.restore();
    assert!(put().await);
}

#[tokio::test]
async fn python_client_finds_s3_from_the_settings() {
    let bucket = Bucket::new().await;
    bucket.put("from/rust", "hello").await;
    let script = "import boto3, os, sys\n\
        s3 = boto3.client('s3', region_name=os.environ['AWS_REGION'])\n\
        print(s3.get_object(Bucket=sys.argv[1], Key='from/rust')['Body'].read().decode())";
    let said = python::run(&["-c", script, &bucket.name], &cloud::settings());
    assert_eq!(said.trim(), "hello");
}
