//! Faults in a file of rules: each is named with its place and with what is expected.

use std::path::Path;

use super::{BAD_CONFIG, RULES, RulesFile};
use crate::support::cloud;
use crate::support::process::Run;

const BAD_USAGE: i32 = 2;

/// The faults that `rules check` reports, without the name of the file.
async fn faults(text: &str) -> Vec<String> {
    let file = RulesFile::new(text);
    let ended = file.check(&[]).await.expect_failure(BAD_CONFIG, &[]);
    let mut lines = ended.err.lines();
    assert_eq!(lines.next(), Some("The rules are invalid:"), "{ended:#?}");
    let start = format!("  {}: ", file.shown());
    lines
        .map(|line| line.strip_prefix(&start).unwrap_or(line).to_owned())
        .collect()
}

/// A rule that is valid but for the given lines.
fn rule_with(lines: &str) -> String {
    let options = match lines.contains("options") {
        true => "",
        false => "options = { group_by = [\"a\"], aggregates = [{ function = \"count\" }] }\n",
    };
    format!("[[rule]]\nprocessor = \"csv-aggregate\"\n{lines}\n{options}")
}

#[tokio::test]
async fn each_fault_names_line_rule_key_and_what_is_expected() {
    for (text, fault) in [
        (
            rule_with("path = [\"/in/*\"]"),
            "line 3: rule 1: path: is not a key of a rule; the keys are name, processor, external, \
             content_types, paths, tenants, metadata, options",
        ),
        (
            rule_with("name = \"a\"\npaths = [\"in/*.csv\"]"),
            "line 4: rule 1 \"a\": paths: \"in/*.csv\" must begin with \"/\", such as \"/in/*.csv\", \
             or \"/**/*.csv\" for every folder",
        ),
        (
            rule_with("paths = [\n  \"/in/*\",\n  \"/in/**x\",\n]"),
            "line 5: rule 1: paths: \"/in/**x\" must have \"**\" only between slashes, such as \
             \"/in/**/*.csv\"",
        ),
        (
            rule_with("paths = []"),
            "line 3: rule 1: paths: must not be empty, because nothing could match; leave it out to \
             match all",
        ),
        (
            rule_with("content_types = [\"csv\"]"),
            "line 3: rule 1: content_types: \"csv\" must be a content type without parameters, such \
             as \"text/csv\" or \"image/*\"",
        ),
        (
            rule_with("tenants = [\"Acme\"]"),
            "line 3: rule 1: tenants: \"Acme\" must be the name of a tenant: 1 to 63 of a-z, 0-9, _ \
             and -, starting with a letter or a digit",
        ),
        (
            rule_with("metadata = {}"),
            "line 3: rule 1: metadata: must not be empty; leave it out to match all",
        ),
        (
            rule_with("options = []"),
            "line 3: rule 1: options: must be a table, such as [rule.options]",
        ),
        (
            rule_with("external = true"),
            "line 3: rule 1: external: must not be true: csv-aggregate ships with the broker. A \
             worker of your own needs another name",
        ),
        (
            "[[rule]]\nprocessor = \"csv\"\n".to_owned(),
            "line 2: rule 1: processor: \"csv\" is not a processor of this version (csv-aggregate, csv-merge, image-resize, pdf-text). \
             For a worker of your own, add external = true",
        ),
        (
            "[[rule]]\nprocessor = \"My Scan\"\nexternal = true\n".to_owned(),
            "line 2: rule 1: processor: \"My Scan\" must be 1 to 64 of a-z, 0-9 and -, starting with a \
             letter or a digit",
        ),
        (
            "[[rule]]\npaths = [\"/in/*\"]\n".to_owned(),
            "line 1: rule 1: processor: must be set, such as processor = \"csv-aggregate\"",
        ),
    ] {
        assert_eq!(faults(&text).await, [fault], "{text}");
    }
}

#[tokio::test]
async fn all_faults_of_a_file_are_reported_at_once_in_its_order() {
    let text = r#"
[[rule]]
name = "one"
procesor = "csv-aggregate"
paths = ["in/*", "/in/*", "/in/"]
content_types = "text/csv"

[[rule]]
processor = "pdf"
external = "yes"
tenants = ["Acme"]
metadata = { year = 2026 }
"#;
    let found = faults(text).await;
    let places: Vec<String> = (found.iter())
        .map(|fault| fault.split(": ").take(3).collect::<Vec<_>>().join(": "))
        .collect();
    assert_eq!(
        places,
        [
            "line 2: rule 1 \"one\": processor",
            "line 4: rule 1 \"one\": procesor",
            "line 5: rule 1 \"one\": paths",
            "line 5: rule 1 \"one\": paths",
            "line 6: rule 1 \"one\": content_types",
            "line 10: rule 2: external",
            "line 11: rule 2: tenants",
            "line 12: rule 2: metadata.year",
        ],
        "{found:#?}"
    );
    let file = RulesFile::new(text);
    let ended = file
        .check(&["--json"])
        .await
        .expect_failure(BAD_CONFIG, &[]);
    let json = ended.json();
    assert_eq!(json["faults"].as_array().map(Vec::len), Some(8), "{json:#}");
    assert_eq!(json["faults"][2]["line"], 5);
    assert_eq!(json["faults"][2]["found"], "in/*");
}

#[tokio::test]
async fn unreadable_file_is_one_fault() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("missing.toml");
    let check = async |path: &Path| {
        let path = path.display().to_string();
        Run::new(&["rules", "check", &path]).finish().await
    };
    let reason = &["missing.toml: is not a readable file: No such file"];
    check(&missing).await.expect_failure(BAD_CONFIG, reason);
    let reason = &["is not a readable file: Is a directory"];
    check(folder.path())
        .await
        .expect_failure(BAD_CONFIG, reason);
    let reason = &["must not be larger than 1048576 bytes"];
    let endless = Path::new("/dev/zero");
    check(endless).await.expect_failure(BAD_CONFIG, reason);
    let latin = RulesFile::new(b"# caf\xe9\n");
    let reason = &["must be text in UTF-8"];
    check(&latin.path).await.expect_failure(BAD_CONFIG, reason);
    let broken = RulesFile::new("[[rule]\nprocessor = \"a\"");
    let reason = &["line 1: is not valid TOML: "];
    check(&broken.path).await.expect_failure(BAD_CONFIG, reason);
}

#[tokio::test]
async fn wrong_arguments_of_check_are_named() {
    let file = RulesFile::new(RULES);
    for (args, reason) in [
        (&["--path", "/a/../b"][..], "the path has a segment"),
        (
            &["--path", "/a", "--metadata", "kind"],
            "expected KEY=VALUE",
        ),
        (&["--tenant", "acme"], "--path"),
    ] {
        file.check(args).await.expect_failure(BAD_USAGE, &[reason]);
    }
}

#[tokio::test]
async fn commands_with_settings_refuse_invalid_rules_beside_their_other_faults() {
    let file = RulesFile::new("[[rule]]\nprocessor = \"csv\"\n[[rule]]\n");
    for command in ["serve", "check-config", "janitor", "doctor"] {
        let run = Run::new(&[command])
            .with(&cloud::settings())
            .set("BROKER_BIND", "nowhere")
            .set("BROKER_PROCESSORS_FILE", file.shown());
        let path = format!("BROKER_PROCESSORS_FILE={:?}: ", file.shown());
        run.finish().await.expect_failure(
            BAD_CONFIG,
            &[
                "The settings are invalid:",
                "BROKER_BIND=\"nowhere\"",
                &format!("{path}line 2: rule 1: processor: \"csv\""),
                &format!("{path}line 3: rule 2: processor: must be set"),
            ],
        );
    }
}
