//! Every fault of a body has its pointer.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape matters")]
struct Outer {
    size: u64,
    inner: Option<Inner>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape matters")]
struct Inner {
    value: String,
}

#[test]
fn every_fault_has_its_pointer() {
    for (body, pointer) in [
        (r#"{"size":-1}"#, "/size"),
        (r#"{"size":99999999999999999999}"#, "/size"),
        (r#"{"size":"1"}"#, "/size"),
        (r#"{"size":1,"inner":{}}"#, "/inner/value"),
        (r#"{"size":1,"inner":{"value":7}}"#, "/inner/value"),
        (r#"{"size":1,"inner":{"value":"","x":1}}"#, "/inner/x"),
        (r#"{"size":1,"size":2}"#, "/size"),
        (r#"{"size":1,"tags":{"a/b~c":1}}"#, "/tags/a~1b~0c"),
        (r#"{"size":1,"other":2}"#, "/other"),
        (r#"{}"#, "/size"),
        (r#"[1,null,{}]"#, ""),
        (r#"7"#, ""),
    ] {
        let problem = parse::<Outer>(body.as_bytes()).expect_err(body);
        let told = problem.body("/", "id");
        assert_eq!(told.code, "invalid-request", "{body}: {problem}");
        assert_eq!(told.errors[0].pointer, pointer, "{body}: {problem}");
    }
}

#[test]
fn broken_json_is_told_apart_and_located() {
    for body in [
        "",
        "{",
        "{\"size\":1,}",
        "{\"size\":1} x",
        "{\"size\":\"\\ud800\"}",
        "\u{0}",
        "[",
    ] {
        let problem = parse::<Outer>(body.as_bytes()).expect_err(body);
        assert_eq!(problem.kind(), Kind::InvalidJson, "{body}: {problem}");
        assert!(problem.to_string().contains("line 1 column"), "{problem}");
    }
    let deep = "[".repeat(10_000);
    assert_eq!(
        parse::<serde_json::Value>(deep.as_bytes())
            .expect_err("too deep")
            .kind(),
        Kind::InvalidJson
    );
}

#[test]
fn no_type_of_ours_shows() {
    for (body, words) in [
        (r#"{"size":-1}"#, "expected a whole number, not negative"),
        (r#"{"size":1,"inner":7}"#, "expected an object"),
        (r#"{"size":1,"tags":7}"#, "expected an object"),
        ("7", "must be a JSON object"),
    ] {
        let problem = parse::<Outer>(body.as_bytes()).expect_err(body).to_string();
        assert!(problem.contains(words), "{body}: {problem}");
    }
}
