//! Problems of JSON bodies.

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
fn parse_names_invalid_field_by_pointer() {
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
        let body_of_problem = problem.body("/", "id");
        assert_eq!(body_of_problem.code, "invalid-request", "{body}: {problem}");
        assert_eq!(
            body_of_problem.errors[0].pointer, pointer,
            "{body}: {problem}"
        );
    }
}

#[test]
fn parse_reports_position_of_invalid_json() {
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
fn parse_errors_do_not_name_rust_types() {
    for (body, words) in [
        (r#"{"size":-1}"#, "expected a non-negative integer"),
        (r#"{"size":1,"inner":7}"#, "expected an object"),
        (r#"{"size":1,"tags":7}"#, "expected an object"),
        ("7", "must be a JSON object"),
    ] {
        let problem = parse::<Outer>(body.as_bytes()).expect_err(body).to_string();
        assert!(problem.contains(words), "{body}: {problem}");
    }
}
