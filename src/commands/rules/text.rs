//! Formats rules as text and as JSON.

use std::fmt::Display;

use serde_json::{Value, json};

use super::Example;
use crate::commands::processing_rules::InvalidRules;
use crate::config::RuleFault;
use crate::domain::rules::{ProcessingRules, Rule};

/// Prints the rules, and the jobs of the example if there is one.
pub(super) fn print(rules: &ProcessingRules, example: Option<&Example>, json: bool) {
    let deciding = example.map(|example| rules.matching(&example.facts()));
    if json {
        let all: Vec<Value> = rules.iter().map(as_json).collect();
        let jobs = deciding.map(|rules| rules.into_iter().map(job).collect::<Vec<_>>());
        println!("{}", json!({"rules": all, "jobs": jobs}));
        return;
    }
    println!("{}.", count(rules.iter().len(), "valid rule"));
    for rule in rules.iter() {
        print_rule(rule);
    }
    let (Some(example), Some(deciding)) = (example, deciding) else {
        return;
    };
    println!(
        "An upload to {} with the content type {}, of the tenant {}, gets {}.",
        example.path,
        example.content_type.escape_debug(),
        example.tenant.escape_debug(),
        count(deciding.len(), "job")
    );
    for rule in deciding {
        println!("  {} by {}: {}", rule.processor, title(rule), rule.options);
    }
}

/// Prints the faults as JSON.
pub(super) fn print_faults(invalid: &InvalidRules) {
    let fault = |fault: &RuleFault| {
        json!({
            "line": fault.line,
            "rule": fault.rule.as_ref().map(|rule| rule.number),
            "name": fault.rule.as_ref().and_then(|rule| rule.name.as_ref()),
            "key": fault.key,
            "found": fault.found,
            "detail": fault.detail,
        })
    };
    let faults: Vec<Value> = invalid.faults.iter().map(fault).collect();
    println!("{}", json!({"faults": faults}));
}

fn print_rule(rule: &Rule) {
    let external = if rule.external { " (external)" } else { "" };
    println!("{}: {}{external}", title(rule), rule.processor);
    let matchers = &rule.matchers;
    let metadata = matchers.metadata.iter();
    let metadata: Vec<String> = metadata
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let conditions = [
        ("content types", listed(&matchers.content_types)),
        ("paths", listed(&matchers.paths)),
        ("tenants", listed(&matchers.tenants)),
        (
            "metadata",
            (!metadata.is_empty()).then(|| metadata.join(", ")),
        ),
    ];
    if conditions.iter().all(|(_, condition)| condition.is_none()) {
        println!("  every upload");
    }
    for (name, condition) in conditions {
        if let Some(condition) = condition {
            // Control characters in a value must not control the terminal.
            println!("  {name:<13}  {}", condition.escape_debug());
        }
    }
    println!("  {:<13}  {}", "options", rule.options);
}

fn title(rule: &Rule) -> String {
    match &rule.name {
        Some(name) => format!("rule {} {name:?}", rule.number),
        None => format!("rule {}", rule.number),
    }
}

fn listed(list: &Option<Vec<impl Display>>) -> Option<String> {
    strings(list).map(|texts| texts.join(", "))
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

fn as_json(rule: &Rule) -> Value {
    let matchers = &rule.matchers;
    json!({
        "number": rule.number,
        "name": rule.name,
        "processor": rule.processor,
        "external": rule.external,
        "content_types": strings(&matchers.content_types),
        "paths": strings(&matchers.paths),
        "tenants": matchers.tenants,
        "metadata": matchers.metadata,
        "options": rule.options,
    })
}

fn strings(list: &Option<Vec<impl Display>>) -> Option<Vec<String>> {
    Some(list.as_ref()?.iter().map(ToString::to_string).collect())
}

fn job(rule: &Rule) -> Value {
    json!({"processor": rule.processor, "options": rule.options, "rule": rule.number})
}
