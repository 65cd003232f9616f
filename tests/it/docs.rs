//! The documentation: its links resolve, its pages are in the book, and the files, functions and
//! types that it names exist. `make docs` runs these tests too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Folders of the code whose paths are checked where the documentation names them.
const CODE: [&str; 4] = ["src/", "tests/", "benches/", "examples/"];

/// A Markdown file.
pub struct Page {
    /// Its path in the repository, such as `docs/src/api.md`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The pages at the top of the repository, and those of the book.
pub fn pages() -> Vec<Page> {
    let mut files: Vec<PathBuf> = [
        "README.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "examples/puller/README.md",
        "examples/subscriber/README.md",
    ]
    .map(PathBuf::from)
    .into();
    collect(Path::new("docs/src"), &mut files);
    files.sort();
    files
        .into_iter()
        .map(|file| Page {
            text: fs::read_to_string(root().join(&file)).expect("a page"),
            name: file.to_str().expect("UTF-8").to_owned(),
        })
        .collect()
}

/// The text of one page.
pub fn page(name: &str) -> String {
    let found = pages().into_iter().find(|page| page.name == name);
    found.unwrap_or_else(|| panic!("no page {name}")).text
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(root().join(folder)).expect("a folder") {
        let path = folder.join(entry.expect("an entry").file_name());
        if root().join(&path).is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

/// The text without fenced code blocks.
fn prose(text: &str) -> String {
    let mut prose = String::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// What stands in backticks, outside of code blocks.
pub fn code_spans(text: &str) -> Vec<String> {
    let prose = prose(text);
    let spans = prose.split('`').skip(1).step_by(2);
    spans.map(|span| span.replace('\n', " ")).collect()
}

/// The targets of all links.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let without_code: String = prose.split('`').step_by(2).collect();
    let targets = without_code.split("](").skip(1);
    targets
        .map(|rest| {
            let (target, _) = rest.split_once(')').expect("a link ends with )");
            target.to_owned()
        })
        .collect()
}

/// The anchors of all headings, as mdBook and code hosts make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|heading| {
            let title = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                assert!(normal.pop(), "{} leaves the repository", path.display());
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

#[test]
fn every_link_resolves() {
    let pages = pages();
    let texts: BTreeMap<&str, &str> = (pages.iter())
        .map(|page| (&*page.name, &*page.text))
        .collect();
    let mut broken = Vec::new();
    for page in &pages {
        let folder = Path::new(&page.name).parent().expect("a folder");
        for link in links(&page.text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => PathBuf::from(&page.name),
                file => normal(&folder.join(file)),
            };
            let name = target.to_str().expect("UTF-8");
            let has_anchor = || {
                texts
                    .get(name)
                    .is_some_and(|text| anchors(text).contains(anchor))
            };
            // The book contains nothing else.
            let is_inside = !page.name.starts_with("docs/src/") || name.starts_with("docs/src/");
            if !root().join(&target).is_file() || !is_inside {
                broken.push(format!("{}: {link}", page.name));
            } else if !anchor.is_empty() && !has_anchor() {
                broken.push(format!("{}: {link} has no such heading", page.name));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = links(&page("docs/src/SUMMARY.md"));
    for page in pages() {
        let inside = page.name.strip_prefix("docs/src/");
        if let Some(name) = inside.filter(|name| *name != "SUMMARY.md") {
            let listed = summary.iter().filter(|link| *link == name).count();
            assert_eq!(listed, 1, "{name} in docs/src/SUMMARY.md");
        }
    }
}

#[test]
fn readme_is_short() {
    let lines = page("README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}

#[test]
fn every_named_path_exists() {
    let mut missing = Vec::new();
    for page in pages() {
        let ticks = prose(&page.text).matches('`').count();
        assert!(ticks.is_multiple_of(2), "{}: an odd backtick", page.name);
        for span in code_spans(&page.text) {
            let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
            let names_code = CODE.iter().any(|folder| span.starts_with(folder));
            if names_code && span.chars().all(is_path) && !root().join(&span).exists() {
                missing.push(format!("{}: {span}", page.name));
            }
        }
    }
    assert!(missing.is_empty(), "no such files:\n{}", missing.join("\n"));
}

/// The table of the page on the architecture that says where something is decided.
#[test]
fn every_decision_is_where_the_table_says() {
    let page = page("docs/src/architecture.md");
    let rows = page.lines().filter(|line| {
        let first = line.strip_prefix("| ").and_then(|row| row.chars().next());
        first.is_some_and(|first| first.is_ascii_digit())
    });
    let mut questions = 0;
    for row in rows {
        questions += 1;
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [_, files, functions] = cells[..] else {
            panic!("not three cells: {row}");
        };
        let read = |file: String| fs::read_to_string(root().join(&file)).expect(&file);
        let code: String = code_spans(files).into_iter().map(read).collect();
        for function in code_spans(functions) {
            let name = function.rsplit("::").next().expect("a name");
            let found =
                code.contains(&format!("fn {name}(")) || code.contains(&format!("fn {name}<"));
            assert!(found, "no function {function} in {files}");
        }
    }
    assert_eq!(questions, 10);
}

#[test]
fn every_term_has_its_type() {
    let page = page("docs/src/glossary.md");
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(1);
    let mut terms = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        let [term, _, kind] = cells[..] else {
            panic!("not three cells: {row}");
        };
        terms.push(term.trim().to_lowercase());
        for path in code_spans(kind) {
            let (module, name) = path.rsplit_once("::").expect("a module");
            let file = root().join("src").join(module.replace("::", "/"));
            let files = [file.with_extension("rs"), file.join("mod.rs")];
            let code: String = files
                .iter()
                .filter_map(|file| fs::read_to_string(file).ok())
                .collect();
            let kinds = ["struct", "enum", "trait"];
            let declared = |kind: &&str| {
                let start = format!("{kind} {name}");
                code.split(&start).skip(1).any(|rest| {
                    let next = rest.chars().next();
                    next.is_some_and(|next| !next.is_alphanumeric() && next != '_')
                })
            };
            assert!(kinds.iter().any(declared), "{term}: no type {path}");
        }
    }
    assert!(terms.is_sorted(), "the terms are not sorted: {terms:#?}");
}

/// No page names a route or a metric that is not in the code.
#[test]
fn it_names_only_what_there_is() {
    let document = upload_broker::http::openapi::yaml();
    let measured = measured();
    for page in pages() {
        let name = page.name;
        let words = (page.text).split(|c: char| !(c.is_alphanumeric() || "/_{}:-".contains(c)));
        for word in words {
            let template = word.starts_with('/') && word.contains('{');
            let template = template && !word.contains("/problems");
            let known = !template || document.contains(&format!("\n  {word}:\n"));
            assert!(known, "{name}: {word} is not in the document");
            let metric = word.strip_prefix("upload_broker_");
            if let Some(metric) = metric.and_then(|word| word.split('{').next()) {
                // The series of a histogram have names of their own.
                let series = ["_count", "_sum", "_bucket"].iter();
                let series = series.filter_map(|end| metric.strip_suffix(end));
                let mut names = std::iter::once(metric).chain(series);
                let known = names.any(|name| measured.contains(&format!("\"{name}\"")));
                assert!(known, "{name}: {word} is not measured");
            }
        }
    }
}

/// The code that names the metrics.
fn measured() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/telemetry/metrics");
    let files = std::fs::read_dir(folder).expect("a folder");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(file.expect("an entry").path()).expect("a source file")
    };
    files.map(read).collect()
}
