//! Rules are read as far as their shape goes, and every fault is reported with its place.

use serde_json::json;

use super::*;

fn faults(text: &str) -> Vec<String> {
    let file = RulesFile::parse(text);
    file.faults.iter().map(ToString::to_string).collect()
}

#[test]
fn file_without_rules_has_no_faults() {
    for text in ["", "# nothing yet\n", "rule = []"] {
        let file = RulesFile::parse(text);
        assert_eq!(
            (file.rules, file.faults),
            (Vec::new(), Vec::new()),
            "{text}"
        );
    }
}

#[test]
fn every_key_of_a_rule_is_read() {
    let file = RulesFile::parse(
        r#"
[[rule]]
name = "plays"
processor = "csv-aggregate"
external = false
content_types = ["text/csv", "text/tab-separated-values"]
paths = ["/in/**"]
tenants = ["acme"]
metadata = { kind = "plays" }
[rule.options]
group_by = ["Song"]
limits = { rows = 10, share = 0.5, strict = true }

[[rule]]
processor = "mine"
"#,
    );
    assert_eq!(file.faults, []);
    let [first, second] = &file.rules[..] else {
        panic!("{file:#?}");
    };
    assert_eq!(first.id.to_string(), "rule 1 \"plays\"");
    let processor = first.processor.as_ref().expect("a processor");
    assert_eq!((processor.line, &*processor.value), (4, "csv-aggregate"));
    assert_eq!(first.content_types.as_ref().map(Vec::len), Some(2));
    assert_eq!(
        first.options.value,
        json!({"group_by": ["Song"], "limits": {"rows": 10, "share": 0.5, "strict": true}})
    );
    assert_eq!(second.id.to_string(), "rule 2");
    assert_eq!(second.paths, None);
    assert_eq!(second.options.value, json!({}));
}

#[test]
fn every_fault_of_shape_is_reported_with_line_and_rule() {
    let found = faults(
        r#"[[rule]]
name = "first"
procesor = "csv-aggregate"
content_types = "text/csv"
paths = []
tenants = ["acme", 7]
external = "yes"

[[rule]]
processor = 1
name = ""
metadata = { year = 2026 }
options = { since = 2026-01-01, ratio = nan, nested = { day = 10:00:00 } }
"#,
    );
    let expected = [
        "line 3: rule 1 \"first\": procesor: is not a key of a rule; the keys are name, processor, \
         external, content_types, paths, tenants, metadata, options",
        "line 1: rule 1 \"first\": processor: must be set, such as processor = \"csv-aggregate\"",
        "line 7: rule 1 \"first\": external: must be true or false",
        "line 4: rule 1 \"first\": content_types: must be a list of strings, such as content_types \
         = [\"text/csv\", \"image/*\"]",
        "line 5: rule 1 \"first\": paths: must not be empty, because nothing could match; leave it \
         out to match all",
        "line 6: rule 1 \"first\": tenants: must be a list of strings, such as tenants = \
         [\"default\"]",
        "line 11: rule 2: name: must be a string that is not empty; it may be left out",
        "line 10: rule 2: processor: must be a string, such as \"csv-aggregate\"",
        "line 12: rule 2: metadata.year: must be a string",
        "line 13: rule 2: options.nested.day: must not be a TOML date or time; write it as a \
         string",
        "line 13: rule 2: options.ratio: must be a finite number",
        "line 13: rule 2: options.since: must not be a TOML date or time; write it as a string",
    ];
    assert_eq!(found, expected);
}

#[test]
fn keys_outside_of_rules_are_refused() {
    assert_eq!(
        faults("[[rules]]\nprocessor = \"a\""),
        ["line 1: rules: is not a key of this file; the rules are tables [[rule]]"]
    );
    assert_eq!(
        faults("[rule]\nprocessor = \"a\""),
        ["line 1: rule: must be written as tables, each with the line [[rule]] above it"]
    );
    assert_eq!(
        faults("rule = [3]"),
        ["line 1: rule 1: must be written as tables, each with the line [[rule]] above it"]
    );
}

#[test]
fn syntax_errors_are_reported_alone() {
    let found = faults("[[rule]]\nprocessor = csv\npaths = []\nname = \"a\n");
    assert!(!found.is_empty(), "{found:#?}");
    for fault in &found {
        assert!(fault.contains("is not valid TOML: "), "{fault}");
    }
    assert!(found[0].starts_with("line 2: "), "{found:#?}");
}

#[test]
fn file_of_the_rules_is_named_by_a_variable_and_not_read() {
    let load = |value: &str| {
        let value = value.to_owned();
        Processors::load(move |_| Some(value.clone())).expect("no faults")
    };
    let file = PathBuf::from("/does/not/exist.toml");
    assert_eq!(load("/does/not/exist.toml").file, Some(file));
    assert_eq!(load("").file, None);
}
