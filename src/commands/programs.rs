//! The programs that processors start: whether this machine has them.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::config::{self, PdfEngine};
use crate::domain::rules::ProcessingRules;
use crate::processors;

/// How to install all of them.
pub(super) const ADVICE: &str = "install poppler: apt-get install poppler-utils poppler-data (Debian, Ubuntu), \
     dnf install poppler-utils poppler-data (Fedora), apk add poppler-utils poppler-data (Alpine), brew install poppler";

/// The folders in which programs are searched.
pub(super) fn search_path() -> Option<OsString> {
    config::env("PATH").map(OsString::from)
}

/// The programs of a processor that are in none of these folders. Textract needs none.
pub(super) fn missing(processor: &str, engine: &PdfEngine) -> Vec<&'static str> {
    if engine.is_textract() && processors::uses_pdf_engine(processor) {
        return Vec::new();
    }
    let path = search_path().unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let is_missing = |name: &&str| !folders.iter().any(|folder| is_program(&folder.join(name)));
    let programs = processors::programs_of(processor).iter().copied();
    programs.filter(is_missing).collect()
}

/// The processors of the rules whose programs are missing, each with these programs.
pub(super) fn missing_for<'a>(
    rules: &'a ProcessingRules,
    engine: &PdfEngine,
) -> Vec<(&'a str, Vec<&'static str>)> {
    let processors: BTreeSet<&str> = rules.iter().map(|rule| &*rule.processor).collect();
    (processors.into_iter())
        .map(|processor| (processor, missing(processor, engine)))
        .filter(|(_, programs)| !programs.is_empty())
        .collect()
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
