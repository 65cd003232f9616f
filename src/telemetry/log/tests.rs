//! Log lines cannot be forged, and have the id of their request.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use log::{Level, Log, Record};

use super::*;

/// The output of a logger.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logger(format: Format, filter: &str) -> (env_logger::Logger, Written) {
    let written = Written::default();
    let target = Target::Pipe(Box::new(written.clone()));
    (builder(format, filter).target(target).build(), written)
}

/// The line of a message with a field.
fn line(format: Format, message: &str) -> String {
    let (logger, written) = logger(format, "info");
    let field = [("path", message)];
    logger.log(
        &Record::builder()
            .args(format_args!("got {message}"))
            .level(Level::Warn)
            .target("upload_broker::http")
            .key_values(&field)
            .build(),
    );
    let bytes = written.0.lock().expect("not poisoned").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

const FORGED: &str = "a\r\n2025-01-01T00:00:00.000Z ERROR forged\u{1b}[2J\u{2028}\"\u{85}";

#[test]
fn control_characters_in_message_and_field_are_escaped() {
    for format in [Format::Text, Format::Json] {
        let line = line(format, FORGED);
        let text = line.strip_suffix('\n').expect("a line ends");
        let bad = |c: char| c == '\n' || c == '\r' || c == '\u{1b}';
        assert!(!text.contains(bad), "{format:?}: {text:?}");
    }
}

#[test]
fn json_preserves_message_and_field() {
    let line = line(Format::Json, FORGED);
    let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(object["message"], format!("got {FORGED}"));
    assert_eq!(object["fields"]["path"], FORGED);
    assert_eq!(object["level"], "WARN");
    assert_eq!(object["target"], "upload_broker::http");
    assert_eq!(object.get("request_id"), None, "{line}");
    let time = object["timestamp"].as_str().expect("a text");
    assert_eq!(time.len(), "2025-01-01T00:00:00.000Z".len(), "{time}");
}

#[test]
fn text_has_level_target_message_and_quoted_field() {
    let line = line(Format::Text, "two words");
    let (_, rest) = line.split_once(' ').expect("a time");
    let expected = "WARN  upload_broker::http: got two words path=\"two words\"\n";
    assert_eq!(rest, expected);
}

#[tokio::test]
async fn lines_of_a_request_have_its_id() {
    assert_eq!(request_id(), None);
    let (json, text) = with_request_id("req-7", async {
        tokio::task::yield_now().await;
        (line(Format::Json, "x"), line(Format::Text, "x"))
    })
    .await;
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(object["request_id"], "req-7");
    assert!(text.contains(" request_id=req-7: got x"), "{text}");
    assert_eq!(request_id(), None);
}

#[test]
fn filter_limits_libraries_to_warn_unless_named() {
    let passes = |filter: &str, target: &str, level: Level| {
        let record = Record::builder().target(target).level(level).build();
        logger(Format::Text, filter).0.matches(&record)
    };
    assert!(passes("debug", "upload_broker::http", Level::Debug));
    assert!(!passes("debug", "aws_smithy_runtime::client", Level::Debug));
    assert!(!passes("trace", "hyper::proto", Level::Info));
    assert!(passes("info", "aws_config", Level::Warn));
    assert!(passes("info,hyper=trace", "hyper::proto", Level::Trace));
    assert!(passes("info", "upload_broker::http", Level::Info));
    assert!(!passes("info", "upload_broker::http", Level::Debug));
    assert!(!passes("trace", "tracing::span", Level::Info));
    assert!(!passes("trace", "some_library", Level::Info));
    assert!(passes(
        "upload_broker::http=trace",
        "some_library",
        Level::Warn
    ));
    assert!(passes(
        "info, upload_broker=trace",
        "upload_broker::http",
        Level::Trace
    ));
    assert!(passes(
        "upload_broker=trace,info",
        "upload_broker::http",
        Level::Trace
    ));
    assert!(!passes("error", "aws_config", Level::Warn));
    assert!(!passes("off", "rustls", Level::Error));
}
