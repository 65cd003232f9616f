//! Reads the values of one rule.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{RuleFault, RuleId};
use super::json;
use super::lines::Lines;

/// A value, and the line of the file on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The line, starting at 1.
    pub line: usize,
    /// The value.
    pub value: T,
}

/// Reads values by key, and collects the faults of their types.
pub(super) struct TableReader<'a> {
    pub(super) id: RuleId,
    pub(super) table: &'a DeTable<'a>,
    pub(super) lines: &'a Lines,
    pub(super) faults: Vec<RuleFault>,
}

impl<'a> TableReader<'a> {
    pub(super) fn fault(&mut self, line: usize, key: &str, detail: impl Into<String>) {
        self.faults.push(RuleFault {
            line: Some(line),
            rule: Some(self.id.clone()),
            key: key.to_owned(),
            found: None,
            detail: detail.into(),
        });
    }

    /// Adds a fault for each key that is not in `known`.
    pub(super) fn refuse_other_keys(&mut self, known: &[&str]) {
        for key in self.table.keys() {
            let name = key.get_ref();
            if !known.contains(&name.as_ref()) {
                let line = self.lines.line(&key.span());
                let detail = format!("is not a key of a rule; the keys are {}", known.join(", "));
                self.fault(line, name, detail);
            }
        }
    }

    /// A string that is not empty.
    pub(super) fn text(&mut self, key: &str, expected: &str) -> Option<Located<String>> {
        let (line, value) = self.value(key)?;
        match value.as_str() {
            Some(text) if !text.trim().is_empty() => Some(Located {
                line,
                value: text.to_owned(),
            }),
            _ => {
                self.fault(line, key, expected);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<Located<bool>> {
        let (line, value) = self.value(key)?;
        let Some(value) = value.as_bool() else {
            self.fault(line, key, "must be true or false");
            return None;
        };
        Some(Located { line, value })
    }

    /// A list of strings, of at least one.
    pub(super) fn list(&mut self, key: &str, example: &str) -> Option<Vec<Located<String>>> {
        let (line, value) = self.value(key)?;
        let expected = format!("must be a list of strings, such as {key} = {example}");
        let Some(items) = value.as_array() else {
            self.fault(line, key, expected);
            return None;
        };
        if items.is_empty() {
            let detail =
                "must not be empty, because nothing could match; leave it out to match all";
            self.fault(line, key, detail);
        }
        let mut texts = Vec::new();
        for item in items.iter() {
            let line = self.line_of(item);
            match item.get_ref().as_str() {
                Some(text) => texts.push(Located {
                    line,
                    value: text.to_owned(),
                }),
                None => self.fault(line, key, expected.clone()),
            }
        }
        Some(texts)
    }

    /// A table of strings, of at least one.
    pub(super) fn text_table(&mut self, key: &str) -> Option<BTreeMap<String, String>> {
        let (line, value) = self.value(key)?;
        let Some(table) = value.as_table() else {
            let detail = format!("must be a table of strings, such as {key} = {{ team = \"hr\" }}");
            self.fault(line, key, detail);
            return None;
        };
        if table.is_empty() {
            self.fault(line, key, "must not be empty; leave it out to match all");
        }
        let mut pairs = BTreeMap::new();
        for (name, value) in table {
            match value.get_ref().as_str() {
                Some(text) => {
                    pairs.insert(name.get_ref().to_string(), text.to_owned());
                }
                None => {
                    let line = self.line_of(value);
                    self.fault(
                        line,
                        &format!("{key}.{}", name.get_ref()),
                        "must be a string",
                    );
                }
            }
        }
        Some(pairs)
    }

    /// A table as a JSON object; an empty one if the key is missing.
    pub(super) fn object(&mut self, key: &str, rule_line: usize) -> Located<Value> {
        let empty = |line| Located {
            line,
            value: Value::Object(Map::new()),
        };
        let Some((line, value)) = self.value(key) else {
            return empty(rule_line);
        };
        let Some(table) = value.as_table() else {
            self.fault(line, key, format!("must be a table, such as [rule.{key}]"));
            return empty(line);
        };
        let mut faults = Vec::new();
        let value = json::object(key, table, &mut faults);
        for fault in faults {
            let line = self.lines.line(&fault.span);
            self.fault(line, &fault.key, fault.detail);
        }
        Located { line, value }
    }

    fn value(&self, key: &str) -> Option<(usize, &'a DeValue<'a>)> {
        let value = self.table.get(key)?;
        Some((self.line_of(value), value.get_ref()))
    }

    fn line_of<T>(&self, value: &Spanned<T>) -> usize {
        self.lines.line(&value.span())
    }
}
