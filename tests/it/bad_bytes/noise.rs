//! Random input from a generator never causes a server error.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::post;
use crate::support::app::App;
use crate::support::raw::{RawReply, request, send};

/// Runs `test` for generated inputs; each case is a request to the same broker.
fn for_all<S: Strategy>(cases: u32, inputs: S, test: impl Fn(&Runtime, &App, S::Value)) {
    let runtime = Runtime::new().expect("a runtime");
    let app = runtime.block_on(App::start());
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&inputs, |input| {
        test(&runtime, &app, input);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

#[track_caller]
fn assert_no_server_error(reply: &RawReply, input: &dyn std::fmt::Debug) {
    assert!((200..500).contains(&reply.status), "{input:?}: {reply:#?}");
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,40}".prop_map(Value::from),
        "[a-z/.%\u{0}\u{301}]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Bodies that are almost valid: known fields with arbitrary values.
fn body() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "name",
        "comments",
        "metadata",
        "content_type",
        "size",
        "checksum",
        "overwrite",
        "if_match",
        "content_encoding",
        "content_disposition",
        "content_language",
        "cache_control",
        "storage_class",
        "tags",
        "expires_in",
        "path",
    ]);
    let text = prop_oneof![".{0,60}", "[ -~]{0,60}"].prop_map(Value::from);
    let value = prop_oneof![text.clone(), text, json_value()];
    prop::collection::btree_map(names, value, 0..4).prop_map(|fields| {
        let mut body = json!({"path": "/noise"});
        for (name, value) in fields {
            body[name] = value;
        }
        body
    })
}

#[test]
fn random_bytes_as_body_cause_no_server_error() {
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    for_all(150, bytes, |runtime, app, bytes| {
        let reply = runtime.block_on(send(app, post(app, &bytes)));
        assert_no_server_error(&reply, &bytes);
    });
}

#[test]
fn random_json_as_body_causes_no_server_error() {
    for_all(
        400,
        prop_oneof![3 => body(), 1 => json_value()],
        |runtime, app, body| {
            let reply = runtime.block_on(send(app, post(app, body.to_string().as_bytes())));
            assert_no_server_error(&reply, &body);
        },
    );
}

#[test]
fn random_paths_and_queries_cause_no_server_error() {
    let route = prop::sample::select(vec![
        "/",
        "/uploads",
        "/uploads?",
        "/uploads/",
        "/datasets",
        "/datasets?",
        "/datasets/",
        "/problems/",
        "/docs/",
        "/uploads?cursor=",
        "/datasets?cursor=",
        "/datasets?prefix=",
        "/uploads?prefix=",
        "/uploads?path=",
        "/uploads?status=",
        "/uploads?limit=",
    ]);
    let tail = prop_oneof!["[!-~]{0,60}", "(%[0-9a-fA-F]{2}|[a-z/.]){0,30}"];
    for_all(400, (route, tail), |runtime, app, (route, tail)| {
        let line = format!("GET {route}{tail}");
        let reply = runtime.block_on(send(app, request(app, &line, "", b"")));
        assert_no_server_error(&reply, &line);
    });
}
