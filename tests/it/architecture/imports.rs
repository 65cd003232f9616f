//! The import graph of the files in `src/`, and its cycles.
//!
//! An edge leads from a file to every file that it imports from: by a `use` item, or by an inline path
//! that starts with `crate`, `super` or `self`. An import of a name that a `mod.rs` re-exports leads to
//! that `mod.rs`. These are not part of the graph: comments, literals, visibilities such as
//! `pub(in crate::a)`, items under `#[cfg(test)]`, files of tests, and `lib.rs`, which only declares
//! modules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::source_code::{code_of, is_identifier, without_test_items};

/// The path of a module below the crate root, for example `["dev", "s3"]`.
type Module = Vec<String>;

/// The files and the files that they import from.
pub struct ImportGraph {
    files: BTreeMap<Module, PathBuf>,
    imports: BTreeMap<Module, BTreeSet<Module>>,
}

impl ImportGraph {
    /// Builds the graph of source files, given by their paths relative to `src/` and their texts.
    pub fn new(sources: impl IntoIterator<Item = (PathBuf, String)>) -> ImportGraph {
        let (mut files, mut codes) = (BTreeMap::new(), BTreeMap::new());
        for (path, text) in sources {
            if let Some(module) = module_of(&path) {
                codes.insert(module.clone(), without_test_items(&code_of(&text)));
                files.insert(module, path);
            }
        }
        let imports = codes.iter().map(|(module, code)| {
            let targets = paths_in(code)
                .into_iter()
                .filter_map(|path| resolve(&files, module, &path));
            let targets = targets.filter(|target| target != module && !target.is_empty());
            (module.clone(), targets.collect())
        });
        let imports = imports.collect();
        ImportGraph { files, imports }
    }

    /// Describes each set of files that import from each other in a circle, with all their edges.
    pub fn cycles(&self) -> Vec<String> {
        let reachable: BTreeMap<&Module, BTreeSet<&Module>> = (self.imports.keys())
            .map(|module| (module, self.reachable_from(module)))
            .collect();
        let mut described = BTreeSet::new();
        let mut cycles = Vec::new();
        for (module, targets) in &reachable {
            if !targets.contains(module) || described.contains(module) {
                continue;
            }
            let members: BTreeSet<&Module> = (targets.iter().copied())
                .filter(|target| reachable[target].contains(module))
                .collect();
            cycles.push(self.describe(&members));
            described.extend(members);
        }
        cycles
    }

    /// Returns every module that a path of at least one edge leads to.
    fn reachable_from(&self, start: &Module) -> BTreeSet<&Module> {
        let mut reached = BTreeSet::new();
        let mut pending: Vec<&Module> = self.imports[start].iter().collect();
        while let Some(module) = pending.pop() {
            if reached.insert(module) {
                pending.extend(&self.imports[module]);
            }
        }
        reached
    }

    fn describe(&self, members: &BTreeSet<&Module>) -> String {
        let mut text = format!("{} files import from each other:\n", members.len());
        for module in members {
            for target in self.imports[*module]
                .iter()
                .filter(|one| members.contains(one))
            {
                let (from, to) = (&self.files[*module], &self.files[target]);
                let _ = writeln!(text, "    {} -> {}", from.display(), to.display());
            }
        }
        text
    }
}

/// Returns the module of a file; `None` for the binary and for files of tests.
fn module_of(path: &Path) -> Option<Module> {
    let path = path.with_extension("");
    let mut module: Module = path
        .components()
        .map(|component| component.as_os_str().to_string_lossy().into_owned())
        .collect();
    if module == ["main"] || module.iter().any(|name| name == "tests") {
        return None;
    }
    if module == ["lib"] || module.last().is_some_and(|name| name == "mod") {
        module.pop();
    }
    Some(module)
}

/// Returns the module that a path leads to: the longest part of the path that is a module with a file.
/// Returns `None` for the path of another crate.
fn resolve(files: &BTreeMap<Module, PathBuf>, module: &Module, path: &Module) -> Option<Module> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    let (base, rest) = match path.first()?.as_str() {
        "crate" => (&module[..0], &path[1..]),
        "self" => (&module[..], &path[1..]),
        "super" => (
            &module[..module.len().checked_sub(supers)?],
            &path[supers..],
        ),
        _ if files.contains_key(&[module.as_slice(), &path[..1]].concat()) => {
            (&module[..], &path[..])
        }
        _ => return None,
    };
    let absolute = [base, rest].concat();
    (0..=absolute.len())
        .rev()
        .map(|length| absolute[..length].to_vec())
        .find(|module| files.contains_key(module))
}

/// Returns the paths of all `use` items, and all inline paths that start with `crate`, `super` or
/// `self`.
fn paths_in(code: &str) -> Vec<Module> {
    let mut paths = Vec::new();
    let mut other_code = String::new();
    let mut rest = code;
    while let Some((before, item)) = split_at_word(rest, "use ") {
        other_code.push_str(before);
        let (tree, after) = item.split_once(';').unwrap_or((item, ""));
        expand(&[], tree.trim_start_matches("use "), &mut paths);
        rest = after;
    }
    other_code.push_str(rest);
    for root in ["crate::", "super::", "self::"] {
        let mut rest = other_code.as_str();
        while let Some((before, path)) = split_at_word(rest, root) {
            let end = path.find(|c: char| !is_identifier(c) && c != ':');
            let (path, after) = path.split_at(end.unwrap_or(path.len()));
            if !before.ends_with("::") && !before.ends_with("(in ") {
                paths.push(segments(path));
            }
            rest = after;
        }
    }
    paths
}

/// Splits `code` in front of the first occurrence of `word` that does not continue an identifier.
fn split_at_word<'a>(code: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    code.match_indices(word)
        .find(|(start, _)| !code[..*start].ends_with(is_identifier))
        .map(|(start, _)| code.split_at(start))
}

/// Expands the tree of a `use` item to paths: `a::{b, c::d as e}` to `a::b` and `a::c::d`.
fn expand(prefix: &[String], tree: &str, paths: &mut Vec<Module>) {
    let mut depth = 0;
    let branches = tree.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    for branch in branches.map(str::trim).filter(|branch| !branch.is_empty()) {
        match branch.split_once('{') {
            Some((head, group)) => {
                let group = group.strip_suffix('}').unwrap_or(group);
                expand(&[prefix, &segments(head)].concat(), group, paths);
            }
            None => {
                let path = branch.split(" as ").next().unwrap_or(branch);
                paths.push([prefix, &segments(path)].concat());
            }
        }
    }
}

fn segments(path: &str) -> Module {
    let names = path
        .split("::")
        .map(|name| name.trim_matches([' ', '$', '\n']));
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn cycles_of(sources: &[(&str, &str)]) -> Vec<String> {
    let sources = sources.iter();
    ImportGraph::new(sources.map(|(path, text)| (path.into(), (*text).to_owned()))).cycles()
}

#[test]
fn cycles_lists_every_edge_between_the_files_of_a_cycle() {
    let cycles = cycles_of(&[
        ("lib.rs", "pub mod a; mod c;"),
        ("a/mod.rs", "mod b; pub use b::{self as other, B};"),
        ("a/b.rs", "fn b() -> crate::c::C { panic!() }"),
        ("c.rs", "use crate::{a::{B}, clock};"),
        ("d.rs", "use crate::a::B;"),
    ]);
    let expected = "3 files import from each other:\n    a/mod.rs -> a/b.rs\n    a/b.rs -> c.rs\n    \
                    c.rs -> a/mod.rs\n";
    assert_eq!(cycles, [expected]);
}

#[test]
fn cycles_ignores_comments_literals_visibilities_and_test_code() {
    let a = r##"
        use crate::b::B;
        // use super::c::C;
        const TEXT: &str = "crate::c::C"; const RAW: &str = r#"crate::c::"C""#; const C: char = '"';
    "##;
    let b = "/* crate::a */ pub(in crate::a) fn f<'a>(x: &'a str) {} \
             #[cfg(test)] mod tests { use crate::a::A; fn f() {} }";
    let c = "use crate::a::A; #[cfg(test)] use crate::tests::{T};";
    let sources = [
        ("a.rs", a),
        ("b.rs", b),
        ("c.rs", c),
        ("tests.rs", "use crate::c::C;"),
    ];
    assert_eq!(cycles_of(&sources), [""; 0]);
}
