//! Converts the rules of a file to rules of the domain, and validates their values.

use super::shipped;
use crate::config::{Located, RuleFault, RuleTable};
use crate::domain::rules::{Matchers, MediaRange, PathPattern, Rule};
use crate::domain::tenant::is_tenant_name;

/// The largest number of bytes of a processor's name.
const MAX_PROCESSOR_BYTES: usize = 64;

/// Converts all rules. The faults of their values are added to `faults`, which has those of their
/// shape; the result has a meaning only if there are none at the end.
pub(super) fn rules(tables: &[RuleTable], faults: &mut Vec<RuleFault>) -> Vec<Rule> {
    tables.iter().map(|table| rule(table, faults)).collect()
}

fn rule(table: &RuleTable, faults: &mut Vec<RuleFault>) -> Rule {
    validate_processor(table, faults);
    let tenant = |name: &str| {
        match is_tenant_name(name) {
        true => Ok(name.to_owned()),
        false => Err(
            "must be the name of a tenant: 1 to 63 of a-z, 0-9, _ and -, starting with a letter or a digit"
                .to_owned(),
        ),
    }
    };
    let key = |key: &'static str| ListKey { table, key };
    Rule {
        number: table.id.number,
        name: table.id.name.clone(),
        processor: (table.processor.as_ref())
            .map(|processor| processor.value.clone())
            .unwrap_or_default(),
        external: is_external(table),
        matchers: Matchers {
            content_types: key("content_types").parse(
                &table.content_types,
                MediaRange::parse,
                faults,
            ),
            paths: key("paths").parse(&table.paths, PathPattern::parse, faults),
            tenants: key("tenants").parse(&table.tenants, tenant, faults),
            metadata: table.metadata.clone().unwrap_or_default(),
        },
        options: table.options.value.clone(),
    }
}

fn is_external(table: &RuleTable) -> bool {
    table
        .external
        .as_ref()
        .is_some_and(|external| external.value)
}

/// Checks that the processor is one that ships with the broker, with valid options, or is marked as
/// external.
fn validate_processor(table: &RuleTable, faults: &mut Vec<RuleFault>) {
    let Some(Located { line, value: name }) = &table.processor else {
        return;
    };
    let ships = shipped::has(name);
    if !is_processor_name(name) {
        let detail = "must be 1 to 64 of a-z, 0-9 and -, starting with a letter or a digit";
        faults.push(table.fault(*line, "processor", Some(name), detail));
    } else if let Some(external) = table.external.as_ref().filter(|flag| flag.value)
        && ships
    {
        let detail = format!(
            "must not be true: {name} ships with the broker. A worker of your own needs another name"
        );
        faults.push(table.fault(external.line, "external", None, detail));
    } else if !ships && !is_external(table) && !has_fault(table, "external", faults) {
        let detail = format!(
            "is not a processor of this version ({}). For a worker of your own, add external = true",
            shipped::names()
        );
        faults.push(table.fault(*line, "processor", Some(name), detail));
    }
    let options = &table.options;
    let has_options = !has_fault(table, "options", faults);
    let found = has_options.then(|| shipped::check_options(name, &options.value));
    for fault in found.into_iter().flatten() {
        let key = match &*fault.field {
            "" => "options".to_owned(),
            field => format!("options.{field}"),
        };
        faults.push(table.fault(options.line, key, None, fault.detail));
    }
}

/// Whether a fault of this key of the rule is known already.
fn has_fault(table: &RuleTable, key: &str, faults: &[RuleFault]) -> bool {
    let mut faults = faults.iter();
    faults.any(|fault| fault.rule.as_ref() == Some(&table.id) && fault.key == key)
}

fn is_processor_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_PROCESSOR_BYTES).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
}

/// A key of a rule whose value is a list.
struct ListKey<'a> {
    table: &'a RuleTable,
    key: &'static str,
}

impl ListKey<'_> {
    fn parse<T>(
        &self,
        list: &Option<Vec<Located<String>>>,
        item: impl Fn(&str) -> Result<T, String>,
        faults: &mut Vec<RuleFault>,
    ) -> Option<Vec<T>> {
        let mut parsed = Vec::new();
        for text in list.as_ref()? {
            match item(&text.value) {
                Ok(value) => parsed.push(value),
                Err(detail) => {
                    faults.push(
                        self.table
                            .fault(text.line, self.key, Some(&text.value), detail),
                    )
                }
            }
        }
        Some(parsed)
    }
}
