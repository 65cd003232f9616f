//! The format of a log line.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use env_logger::fmt::style::Style;
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};
use serde_json::{Map, json};

use super::filter::OWN_TARGET;
use super::scrub::scrub;

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: time, level, target, request id, trace id, message, fields.
    Text,
    /// One JSON object: `timestamp`, `level`, `target`, `request_id`, `trace_id`, `message`,
    /// `fields`.
    Json,
}

/// A record with all values that its line contains.
pub(super) struct Line {
    time: String,
    level: Level,
    target: String,
    request_id: Option<Arc<str>>,
    trace_id: Option<String>,
    message: String,
    fields: Map<String, serde_json::Value>,
}

impl Line {
    pub(super) fn of(
        record: &Record<'_>,
        now: DateTime<Utc>,
        request: Option<Arc<str>>,
        trace: Option<String>,
    ) -> Self {
        let is_own = record.target().starts_with(OWN_TARGET);
        let mut fields = Fields {
            map: Map::new(),
            is_own,
        };
        // Collecting into a map cannot fail. A value that cannot be formatted is omitted.
        let _ = record.key_values().visit(&mut fields);
        Self {
            time: now.to_rfc3339_opts(SecondsFormat::Millis, true),
            level: record.level(),
            target: record.target().to_owned(),
            request_id: request,
            trace_id: trace,
            message: scrubbed(record.args().to_string(), is_own),
            fields: fields.map,
        }
    }

    pub(super) fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), json!(self.time));
        object.insert("level".to_owned(), json!(self.level.as_str()));
        object.insert("target".to_owned(), json!(self.target));
        if let Some(id) = &self.request_id {
            object.insert("request_id".to_owned(), json!(**id));
        }
        if let Some(id) = &self.trace_id {
            object.insert("trace_id".to_owned(), json!(id));
        }
        object.insert("message".to_owned(), json!(self.message));
        if !self.fields.is_empty() {
            object.insert("fields".to_owned(), json!(self.fields));
        }
        serde_json::Value::Object(object).to_string()
    }

    pub(super) fn text(&self, style: Style) -> String {
        let (time, level, target) = (&self.time, self.level, escaped(&self.target));
        let mut line = format!("{time} {style}{level:<5}{style:#} {target}");
        if let Some(id) = &self.request_id {
            push(&mut line, format_args!(" request_id={}", escaped(id)));
        }
        if let Some(id) = &self.trace_id {
            push(&mut line, format_args!(" trace_id={id}"));
        }
        push(&mut line, format_args!(": {}", escaped(&self.message)));
        for (key, value) in &self.fields {
            match value {
                // As JSON, a value with a space or a line break stays one token on one line.
                serde_json::Value::String(text) if !is_word(text) => {
                    let quoted = escaped(&json!(text).to_string());
                    push(&mut line, format_args!(" {}={quoted}", escaped(key)));
                }
                serde_json::Value::String(text) => {
                    push(&mut line, format_args!(" {}={text}", escaped(key)));
                }
                other => push(&mut line, format_args!(" {}={other}", escaped(key))),
            }
        }
        line
    }
}

/// The key-value pairs of a record.
struct Fields {
    map: Map<String, serde_json::Value>,
    is_own: bool,
}

/// The text of a record. Credentials are masked if the record is from a library.
fn scrubbed(text: String, is_own: bool) -> String {
    if is_own {
        return text;
    }
    match scrub(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(clean) => clean,
    }
}

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let json = if let Some(number) = value.to_u64() {
            json!(number)
        } else if let Some(number) = value.to_i64() {
            json!(number)
        } else if let Some(truth) = value.to_bool() {
            json!(truth)
        } else if let Some(number) = value.to_f64() {
            json!(number)
        } else if let Some(text) = value.to_borrowed_str() {
            json!(scrubbed(text.to_owned(), self.is_own))
        } else {
            match value.to_string() {
                // An `Option` that is `None` is omitted.
                nothing if nothing == "None" => return Ok(()),
                text => json!(scrubbed(text, self.is_own)),
            }
        };
        self.map.insert(key.to_string(), json);
        Ok(())
    }
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '=');
    !text.is_empty() && text.chars().all(plain)
}

/// Escapes line breaks and other control characters, which a terminal would interpret, in the
/// notation of Rust.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Appends to a line. Writing to a `String` cannot fail.
fn push(line: &mut String, part: std::fmt::Arguments<'_>) {
    let _ = line.write_fmt(part);
}
