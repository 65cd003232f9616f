//! Checks the structure of the source code: compares the folder diagram in `src/lib.rs` with every
//! `crate::…` path, searches for import cycles between files, and limits the length of files.

mod imports;
mod source_code;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use imports::ImportGraph;

/// Each folder and the folders that it may use, beside itself and the ones in `FREE`.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("objects", &["domain"]),
    ("identity", &["domain"]),
    ("usecases", &["domain", "store", "objects", "identity"]),
    ("http", &["domain", "usecases"]),
    ("notify", &["domain", "store"]),
    ("janitor", &["domain", "usecases"]),
    ("arrivals", &["domain", "usecases", "sqs"]),
    ("audit", &["domain", "usecases"]),
    ("feed", &["domain", "usecases"]),
    ("processors", &["domain"]),
    ("sqs", &[]),
    ("worker", &["domain", "usecases", "processors", "sqs"]),
    ("dev", &["objects"]),
    ("client", &[]),
    ("clock", &[]),
    ("config", &[]),
    ("telemetry", &[]),
    ("lifecycle", &[]),
];
/// Folders that every folder may use, except `domain` and the folders of this list.
const FREE: &[&str] = &["clock", "config", "telemetry", "lifecycle"];
/// External crates, and the only folders that may use each of them.
const CRATES: &[(&str, &[&str])] = &[
    ("diesel", &["store", "usecases", "notify", "commands"]),
    ("actix_web", &["http"]),
    ("jsonwebtoken", &["identity"]),
    // The doctor uploads to the store over HTTP, as clients do. Webhooks are sent over HTTP.
    // Traces and reports too.
    (
        "reqwest",
        &["client", "identity", "objects", "notify", "telemetry"],
    ),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_proto", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("aws_sdk_s3", &["objects"]),
    ("aws_sdk_sns", &["notify"]),
    ("aws_sdk_sqs", &["sqs"]),
    ("tokio_postgres", &["store", "dev"]),
];

/// The file that is generated, and has no limit.
const GENERATED: &str = "src/store/schema.rs";

#[test]
fn folders_use_only_folders_and_crates_of_the_architecture() {
    let mut broken = String::new();
    for file in sources(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let folder = folder_of(&file);
        let Some((_, may)) = MAY_NAME.iter().find(|(name, _)| *name == folder) else {
            continue;
        };
        if file.ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for named in names_after(code, "crate::") {
                let known = MAY_NAME.iter().any(|(name, _)| *name == named);
                let free = FREE.contains(&named) && folder != "domain" && !FREE.contains(&&*folder);
                if known && named != folder && !may.contains(&named) && !free {
                    let _ = writeln!(
                        broken,
                        "{}:{}: {folder} names {named}",
                        file.display(),
                        number + 1
                    );
                }
            }
            for (name, folders) in CRATES {
                if code.contains(&format!("{name}::")) && !folders.contains(&&*folder) {
                    let _ = writeln!(
                        broken,
                        "{}:{}: {folder} names {name}",
                        file.display(),
                        number + 1
                    );
                }
            }
        }
    }
    assert!(
        broken.is_empty(),
        "edges that the picture does not have:\n{broken}"
    );
}

#[test]
fn no_file_imports_form_a_cycle() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = sources(src.clone()).into_iter().map(|file| {
        let text = fs::read_to_string(&file).expect("a source file");
        let path = file.strip_prefix(&src).expect("below src").to_owned();
        (path, text)
    });
    let cycles = ImportGraph::new(sources).cycles();
    assert!(
        cycles.is_empty(),
        "{} import cycles in src/:\n{}",
        cycles.len(),
        cycles.join("\n")
    );
}

#[test]
fn source_files_have_at_most_300_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut long = String::new();
    for file in sources(root.join("src"))
        .into_iter()
        .chain(sources(root.join("tests")))
    {
        let lines = fs::read_to_string(&file)
            .expect("a source file")
            .lines()
            .count();
        if lines > 300 && !file.ends_with(GENERATED) {
            let _ = writeln!(long, "{}: {lines} lines", file.display());
        }
    }
    assert!(long.is_empty(), "over 300 lines:\n{long}");
}

fn names_after<'a>(code: &'a str, marker: &str) -> Vec<&'a str> {
    code.split(marker)
        .skip(1)
        .filter_map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
        })
        .collect()
}

fn folder_of(file: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = file
        .strip_prefix(src)
        .expect("below src")
        .components()
        .next();
    let first = first
        .expect("a name")
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Every source file below `root`.
pub fn sources(root: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
