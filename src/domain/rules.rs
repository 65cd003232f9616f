//! Processing rules: which processors work on an upload once it is proven, and with which options.
//!
//! The operator writes the rules; `config::processors` reads them and `commands` validates them.

mod media_range;
mod path_pattern;
mod wildcard;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::upload::Upload;
use path_pattern::DividedPath;

pub use media_range::MediaRange;
pub use path_pattern::PathPattern;

/// All rules, in the order of the file. By default there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessingRules(Vec<Rule>);

/// A rule: the uploads that it matches, and the processor that works on them.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its number in the file, starting at 1.
    pub number: usize,
    /// A name for messages.
    pub name: Option<String>,
    /// The name of the processor.
    pub processor: String,
    /// Whether the processor is not part of the broker: a worker of somebody else claims its jobs.
    pub external: bool,
    /// Which uploads it matches.
    pub matchers: Matchers,
    /// The options for the processor: a JSON object.
    pub options: Value,
}

/// The conditions of a rule. All that are given must hold; without any, every upload matches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matchers {
    /// The content type is in one of these ranges.
    pub content_types: Option<Vec<MediaRange>>,
    /// One of these patterns matches the path.
    pub paths: Option<Vec<PathPattern>>,
    /// The upload belongs to one of these tenants.
    pub tenants: Option<Vec<String>>,
    /// The metadata of the upload has each of these keys with exactly this value.
    pub metadata: BTreeMap<String, String>,
}

/// A job that a rule asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// The name of the processor.
    pub processor: String,
    /// The options for the processor: a JSON object.
    pub options: Value,
}

/// What the rules know of an upload.
#[derive(Clone, Copy, Debug)]
pub struct UploadFacts<'a> {
    /// The tenant that it belongs to.
    pub tenant: &'a str,
    /// The path, as the tenant sees it.
    pub path: &'a str,
    /// The content type.
    pub content_type: &'a str,
    /// The metadata of the client.
    pub metadata: &'a BTreeMap<String, String>,
}

impl ProcessingRules {
    /// Rules, of which earlier ones come first.
    pub fn new(rules: Vec<Rule>) -> Self {
        Self(rules)
    }

    /// Every rule, in the order of the file.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.iter()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The jobs for an upload that becomes Uploaded, at most one for each processor, in the order of
    /// the rules.
    ///
    /// `upload` is the row as it will be: with the proven object, and with the metadata of the
    /// acknowledge request. Derived datasets get no jobs from rules: the caller does not ask for
    /// them.
    pub fn jobs_for(&self, upload: &Upload) -> Vec<NewJob> {
        let matching = self.matching(&UploadFacts::of(upload)).into_iter();
        matching
            .map(|rule| NewJob {
                processor: rule.processor.clone(),
                options: rule.options.clone(),
            })
            .collect()
    }

    /// The rules that decide for an upload: of all that match it, the first one for each processor.
    pub fn matching(&self, upload: &UploadFacts<'_>) -> Vec<&Rule> {
        if self.is_empty() {
            return Vec::new();
        }
        let path = DividedPath::new(upload.path);
        let mut processors = BTreeSet::new();
        (self.0.iter())
            .filter(|rule| rule.matchers.hold(upload, &path))
            .filter(|rule| processors.insert(&rule.processor))
            .collect()
    }
}

impl<'a> UploadFacts<'a> {
    /// The facts of an upload. Its content type is that of the proven object, or the declared one
    /// if the store returned none.
    pub fn of(upload: &'a Upload) -> Self {
        let proven = upload.object.as_ref();
        let content_type = proven.and_then(|object| object.content_type.as_deref());
        Self {
            tenant: &upload.tenant,
            path: upload.path.as_str(),
            content_type: content_type.unwrap_or(&upload.declared.content_type),
            metadata: &upload.metadata,
        }
    }
}

impl Matchers {
    fn hold(&self, upload: &UploadFacts<'_>, path: &DividedPath) -> bool {
        holds_for_any(&self.tenants, |tenant| tenant == upload.tenant)
            && holds_for_any(&self.content_types, |range| {
                range.contains(upload.content_type)
            })
            && (self.metadata.iter()).all(|(key, value)| upload.metadata.get(key) == Some(value))
            && holds_for_any(&self.paths, |pattern| pattern.matches(path))
    }
}

/// Whether the condition holds for one item of the list. A list that is not given restricts nothing.
fn holds_for_any<T>(list: &Option<Vec<T>>, condition: impl Fn(&T) -> bool) -> bool {
    list.as_ref()
        .is_none_or(|items| items.iter().any(condition))
}

#[cfg(test)]
mod tests;
