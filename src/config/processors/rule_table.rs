//! One rule in the file.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::de::DeTable;

use super::fault::{RuleFault, RuleId};
use super::lines::Lines;
use super::table_reader::{Located, TableReader};

/// The keys of a rule.
const KEYS: [&str; 8] = [
    "name",
    "processor",
    "external",
    "content_types",
    "paths",
    "tenants",
    "metadata",
    "options",
];

/// A rule of the file. A key that is missing, or has a value of another type, is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleTable {
    /// Its number and its name.
    pub id: RuleId,
    /// The name of the processor.
    pub processor: Option<Located<String>>,
    /// Whether the processor is not part of the broker.
    pub external: Option<Located<bool>>,
    /// Content types.
    pub content_types: Option<Vec<Located<String>>>,
    /// Patterns of paths.
    pub paths: Option<Vec<Located<String>>>,
    /// Names of tenants.
    pub tenants: Option<Vec<Located<String>>>,
    /// Keys and values of the metadata.
    pub metadata: Option<BTreeMap<String, String>>,
    /// The options: a JSON object.
    pub options: Located<Value>,
}

impl RuleTable {
    /// Reads the rule that begins on `line`, and returns it with the faults of its shape.
    pub(super) fn read(
        number: usize,
        line: usize,
        table: &DeTable<'_>,
        lines: &Lines,
    ) -> (Self, Vec<RuleFault>) {
        let name = table.get("name").and_then(|name| name.get_ref().as_str());
        let id = RuleId {
            number,
            name: name
                .filter(|name| !name.trim().is_empty())
                .map(str::to_owned),
        };
        let mut reader = TableReader {
            id: id.clone(),
            table,
            lines,
            faults: Vec::new(),
        };
        reader.refuse_other_keys(&KEYS);
        reader.text(
            "name",
            "must be a string that is not empty; it may be left out",
        );
        if !table.contains_key("processor") {
            let detail = "must be set, such as processor = \"csv-aggregate\"";
            reader.fault(line, "processor", detail);
        }
        let rule = Self {
            id,
            processor: reader.text("processor", "must be a string, such as \"csv-aggregate\""),
            external: reader.flag("external"),
            content_types: reader.list("content_types", "[\"text/csv\", \"image/*\"]"),
            paths: reader.list("paths", "[\"/in/**/*.csv\"]"),
            tenants: reader.list("tenants", "[\"default\"]"),
            metadata: reader.text_table("metadata"),
            options: reader.object("options", line),
        };
        (rule, reader.faults)
    }

    /// A fault of this rule.
    pub fn fault(
        &self,
        line: usize,
        key: impl Into<String>,
        found: Option<&str>,
        detail: impl Into<String>,
    ) -> RuleFault {
        RuleFault {
            line: Some(line),
            rule: Some(self.id.clone()),
            key: key.into(),
            found: found.map(str::to_owned),
            detail: detail.into(),
        }
    }
}
