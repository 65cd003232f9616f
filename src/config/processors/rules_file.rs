//! A whole file of rules.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{RuleFault, RuleId};
use super::lines::Lines;
use super::rule_table::RuleTable;

/// The name of the array of tables that holds the rules.
const RULES: &str = "rule";
const EXPECTED: &str = "must be written as tables, each with the line [[rule]] above it";

/// The rules of a file, as far as they could be read, and the faults of its shape.
#[derive(Clone, Debug, Default)]
pub struct RulesFile {
    /// The rules, in the order of the file. A rule with a fault has what could be read of it.
    pub rules: Vec<RuleTable>,
    /// The faults.
    pub faults: Vec<RuleFault>,
}

impl RulesFile {
    /// Reads TOML: any number of tables `[[rule]]`.
    pub fn parse(text: &str) -> Self {
        let lines = Lines::of(text);
        let mut file = Self::default();
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let detail = format!("is not valid TOML: {}", error.message());
            let line = error.span().map(|span| lines.line(&span));
            file.faults.push(outside(line, "", detail));
        }
        // After a syntax error, the rest need not mean what its author meant.
        if errors.is_empty() {
            file.read(document.get_ref(), &lines);
        }
        file
    }

    fn read(&mut self, document: &DeTable<'_>, lines: &Lines) {
        for (key, value) in document {
            let line = lines.line(&key.span());
            match (key.get_ref().as_ref(), value.get_ref()) {
                (RULES, DeValue::Array(items)) => {
                    for (number, item) in (1..).zip(items.iter()) {
                        self.read_rule(number, item, lines);
                    }
                }
                (RULES, _) => self
                    .faults
                    .push(outside(Some(line), RULES, EXPECTED.to_owned())),
                (unknown, _) => {
                    let detail = "is not a key of this file; the rules are tables [[rule]]";
                    self.faults
                        .push(outside(Some(line), unknown, detail.to_owned()));
                }
            }
        }
    }

    fn read_rule(&mut self, number: usize, item: &Spanned<DeValue<'_>>, lines: &Lines) {
        let line = lines.line(&item.span());
        let DeValue::Table(table) = item.get_ref() else {
            self.faults.push(RuleFault {
                rule: Some(RuleId { number, name: None }),
                ..outside(Some(line), "", EXPECTED.to_owned())
            });
            return;
        };
        let (rule, faults) = RuleTable::read(number, line, table, lines);
        self.rules.push(rule);
        self.faults.extend(faults);
    }
}

fn outside(line: Option<usize>, key: &str, detail: String) -> RuleFault {
    RuleFault {
        line,
        rule: None,
        key: key.to_owned(),
        found: None,
        detail,
    }
}
