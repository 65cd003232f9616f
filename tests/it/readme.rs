//! The documentation says what is true: its blocks work when pasted, its table of settings is the
//! code's, its example of a notification is one, and the tests that it names exist.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::dev::shell;
use crate::dev::stack::{Running, Stack};
use crate::docs::{code_spans, page, pages};
use crate::support::serving::Place;

/// The code block that follows a mark. Pages that repeat a block repeat it exactly.
pub fn block(mark: &str) -> String {
    let start = format!("<!-- {mark} -->\n```");
    let mut blocks: Vec<String> = Vec::new();
    for page in pages() {
        for rest in page.text.split(&start).skip(1) {
            let (_, code) = rest.split_once('\n').expect("a language");
            let (code, _) = code.split_once("\n```").expect("an end");
            blocks.push(code.to_owned());
        }
    }
    blocks.dedup();
    let [block] = &blocks[..] else {
        panic!("{} different blocks {mark:?}", blocks.len());
    };
    block.clone()
}

/// The names of all members, as paths.
fn members(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        names.extend(
            members(value)
                .into_iter()
                .map(|below| format!("{name}.{below}")),
        );
        names.insert(name.clone());
    }
    names
}

#[tokio::test]
async fn round_trip_of_the_readme_works_when_pasted() {
    let stack = Stack::new();
    let mut running = stack.start(&[]).await;
    let printed = shell::paste(&[block_at("paste: dev", &stack, &running)]).await;
    let lines: Vec<_> = printed.lines().collect();
    let [session, "S3 says 200", upload, list, bytes @ ..] = &lines[..] else {
        panic!("{printed}");
    };
    assert!(session.contains(r#""status":"Pending""#), "{session}");
    let upload: Value = serde_json::from_str(upload).expect(upload);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["verification"]["level"], "size", "{upload:#}");
    let list: Value = serde_json::from_str(list).expect(list);
    assert_eq!(list[0]["upload"]["id"], upload["id"], "{list:#}");
    assert_eq!(bytes, ["id,name", "1,Ada"], "{printed}");

    let shown = running.process.wait_for_log("notification: ").await;
    let (_, event) = shown.split_once("notification: ").expect("an event");
    let event: Value = serde_json::from_str(event).expect("a CloudEvent");
    let example: Value = serde_json::from_str(&block("event")).expect("JSON");
    assert_eq!(
        members(&example),
        members(&event),
        "the example is another event"
    );
    running.process.stop("INT").await.ok();
}

/// A code block, for a stack of the test's own.
fn block_at(mark: &str, stack: &Stack, running: &Running) -> String {
    let key = stack.state().join("api-key").display().to_string();
    block(mark)
        .replace("http://127.0.0.1:8080", &running.caller.url)
        .replace(".dev/api-key", &key)
}

#[tokio::test]
async fn multipart_example_of_the_readme_works_when_pasted() {
    let stack = Stack::new();
    let running = stack.start(&[]).await;
    let lines = ["paste: dev", "paste: parts"].map(|mark| block_at(mark, &stack, &running));
    let printed = shell::paste(&lines).await;
    let lines: Vec<_> = printed.lines().collect();
    let Some([first, second, listed, third, upload]) = lines.last_chunk() else {
        panic!("{printed}");
    };
    let said = [first, second, third].map(|line| line.to_string());
    let expected = [1, 2, 3].map(|part| format!("part {part}: S3 says 200"));
    assert_eq!(said, expected, "{printed}");
    let listed: Value = serde_json::from_str(listed).expect(listed);
    assert_eq!(listed["missing"].to_string(), "[[3,3]]", "{listed:#}");
    let upload: Value = serde_json::from_str(upload).expect(upload);
    assert_eq!(upload["status"], "Uploaded", "{upload:#}");
    assert_eq!(upload["object"]["size"], 12_000_000, "{upload:#}");
    running.process.stop("INT").await.ok();
}

#[tokio::test]
async fn token_example_of_the_readme_works_when_pasted() {
    let stack = Stack::new();
    let running = stack.start(&[]).await;
    let lines = ["paste: dev", "paste: token"].map(|mark| block_at(mark, &stack, &running));
    let printed = shell::paste(&lines).await;
    let lines: Vec<_> = printed.lines().collect();
    let Some([by_header, by_path]) = lines.last_chunk() else {
        panic!("{printed}");
    };
    for session in [by_header, by_path] {
        let session: Value = serde_json::from_str(session).expect(session);
        assert_eq!(session["status"], "Pending", "{session:#}");
        let path = session["path"].as_str().expect("a path");
        assert!(path.starts_with("/in/"), "{session:#}");
    }
    running.process.stop("INT").await.ok();
}

#[tokio::test]
async fn operator_commands_of_the_readme_work_when_pasted() {
    let place = Place::new().await;
    let bin = Path::new(env!("CARGO_BIN_EXE_upload-broker"));
    let bin = bin.parent().expect("its folder").display();
    let mut lines: Vec<_> = crate::support::cloud::settings()
        .iter()
        .map(|(name, value)| format!("export {name}='{value}'"))
        .collect();
    lines.push(format!("export DATABASE_URL='{}'", place.database.url()));
    lines.push(format!("export BROKER_S3_BUCKET={}", place.bucket.name));
    lines.push(format!("PATH={bin}:$PATH"));
    lines.push(block("paste: serve"));
    let printed = shell::paste(&lines).await;
    assert!(
        printed.contains("The database schema is up to date."),
        "{printed}"
    );
    let list = printed.lines().last().expect("a line");
    assert!(
        list.contains("uploads:write,uploads:read,datasets:read"),
        "{printed}"
    );
}

#[tokio::test]
async fn client_commands_of_the_readme_work_when_pasted() {
    let stack = Stack::new();
    let running = stack.start(&[]).await;
    (running
        .caller
        .upload("/data/employees.csv", "id,name\n1,Ada\n"))
    .await;
    let bin = Path::new(env!("CARGO_BIN_EXE_upload-broker"));
    let bin = bin.parent().expect("its folder").display();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pasted = block("paste: client")
        .replace("http://127.0.0.1:8080", &running.caller.url)
        .replace(
            ".dev/api-key",
            &stack.state().join("api-key").display().to_string(),
        );
    let here = folder.path().display();
    let start = format!("cd {here}\nPATH={bin}:$PATH\nexport XDG_STATE_HOME={here}/.state");
    let printed = shell::paste(&[start, pasted]).await;
    for text in [
        "/data/numbers.txt  numbers.txt (6.57 MiB, CRC64NVME matches)",
        "/data/numbers.txt.gz  - (",
        "Uploaded    /data/employees.csv",
        "proven: ",
        "(14 B, CRC64NVME matches)",
        "\n2\n",
        "deleted /data/employees.csv",
    ] {
        assert!(printed.contains(text), "no {text:?} in {printed}");
    }
    let file = std::fs::read_to_string(folder.path().join("employees.csv"));
    assert_eq!(file.expect("the file"), "id,name\n1,Ada\n");
    running.process.stop("INT").await.ok();
}

#[test]
fn settings_table_of_the_readme_is_the_generated_one() {
    let name = "docs/src/guides/operators/settings.md";
    let text = page(name);
    let (_, rest) = text.split_once("<!-- settings -->\n").expect("a mark");
    let (table, _) = rest.split_once("<!-- /settings -->").expect("an end");
    let right = upload_broker::config::markdown_table();
    assert!(table == right, "{name} should have this table:\n\n{right}");
}

/// Each promise names the tests that check it: they are there, and they are tests.
#[test]
fn every_promise_of_the_readme_names_existing_tests() {
    let name = "docs/src/guarantees.md";
    let text = page(name);
    let (promises, _) = text.split_once("\n## Not promised\n").expect("an end");
    assert!(named_tests(name, promises) > 20);
    let bullets = promises.split("\n- **").skip(1);
    let bullets = bullets.filter_map(|rest| rest.split("\n\n").next());
    for promise in rows(promises).chain(bullets) {
        assert!(promise.contains("::"), "no test checks: {promise}");
    }
    for guide in pages() {
        if guide.name.starts_with("docs/src/guides/") {
            named_tests(&guide.name, &guide.text);
        }
    }
}

/// The same of every defence in the threat model.
#[test]
fn every_defence_of_the_threat_model_names_existing_tests() {
    let name = "docs/src/security.md";
    let text = page(name);
    assert!(named_tests(name, &text) > 20);
    let (_, section) = text.split_once("\n## Defences\n").expect("a section");
    let (section, _) = section.split_once("\n## ").expect("an end");
    for defence in rows(section) {
        assert!(defence.contains("::"), "no test checks: {defence}");
    }
}

/// The rows of tables, their heads left out.
fn rows(section: &str) -> impl Iterator<Item = &str> {
    section
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
}

/// Looks every test up that a text names, and counts them.
fn named_tests(document: &str, text: &str) -> usize {
    let spans = code_spans(text).into_iter();
    let is_name = |word: &String| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
        word.contains("::") && word.chars().all(is_part)
    };
    let named: Vec<String> = spans.filter(is_name).collect();
    for name in &named {
        let (module, test) = name.rsplit_once("::").expect("a path");
        let file = format!(
            "{}/tests/it/{}.rs",
            env!("CARGO_MANIFEST_DIR"),
            module.replace("::", "/")
        );
        let code = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let plain = ["#[test]\nfn", "#[tokio::test]\nasync fn", "#[test]\n    fn"]
            .iter()
            .any(|begin| code.contains(&format!("{begin} {test}(")));
        let at_both_stores = code.contains(&format!("async fn {test}(setup: Setup)"))
            && (code.split("at_both_stores!").skip(1)).any(|list| {
                list.split(';')
                    .next()
                    .is_some_and(|list| list.contains(test))
            });
        assert!(
            plain || at_both_stores,
            "{document} names {name}, and {file} has no such test"
        );
    }
    named.len()
}
