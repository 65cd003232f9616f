//! Which rules apply to an upload.

use serde_json::json;

use super::*;

fn rule(number: usize, processor: &str, matchers: Matchers) -> Rule {
    Rule {
        number,
        name: None,
        processor: processor.to_owned(),
        external: false,
        matchers,
        options: json!({"rule": number}),
    }
}

fn paths(patterns: &[&str]) -> Matchers {
    let parse = |text: &&str| PathPattern::parse(text).expect("a pattern");
    Matchers {
        paths: Some(patterns.iter().map(parse).collect()),
        ..Matchers::default()
    }
}

fn content_types(ranges: &[&str]) -> Matchers {
    let parse = |text: &&str| MediaRange::parse(text).expect("a range");
    Matchers {
        content_types: Some(ranges.iter().map(parse).collect()),
        ..Matchers::default()
    }
}

/// The numbers of the rules that decide for an upload of `/in/a.csv`, a CSV file of acme.
fn deciding(rules: Vec<Rule>, metadata: &[(&str, &str)]) -> Vec<usize> {
    let metadata = (metadata.iter())
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    let rules = ProcessingRules::new(rules);
    let deciding = rules.matching(&UploadFacts {
        tenant: "acme",
        path: "/in/a.csv",
        content_type: "text/csv; charset=utf-8",
        metadata: &metadata,
    });
    deciding.iter().map(|rule| rule.number).collect()
}

fn is_match(matchers: Matchers, metadata: &[(&str, &str)]) -> bool {
    !deciding(vec![rule(1, "p", matchers)], metadata).is_empty()
}

#[test]
fn rule_without_conditions_matches_every_upload() {
    assert!(is_match(Matchers::default(), &[]));
    assert_eq!(deciding(Vec::new(), &[]), [0; 0]);
}

#[test]
fn one_item_of_each_list_has_to_match() {
    assert!(is_match(paths(&["/out/*", "/in/*"]), &[]));
    assert!(!is_match(paths(&["/out/*", "/in/*/*"]), &[]));
    assert!(is_match(
        content_types(&["application/json", "text/*"]),
        &[]
    ));
    assert!(!is_match(content_types(&["application/json"]), &[]));
    let tenants = |names: &[&str]| Matchers {
        tenants: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..Matchers::default()
    };
    assert!(is_match(tenants(&["default", "acme"]), &[]));
    assert!(!is_match(tenants(&["acme2", "Acme"]), &[]));
}

#[test]
fn every_metadata_key_has_to_have_its_exact_value() {
    let wanted = || Matchers {
        metadata: [("kind", "plays"), ("year", "2026")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..Matchers::default()
    };
    assert!(is_match(
        wanted(),
        &[("kind", "plays"), ("year", "2026"), ("x", "y")]
    ));
    assert!(!is_match(wanted(), &[("kind", "plays")]));
    assert!(!is_match(wanted(), &[("kind", "Plays"), ("year", "2026")]));
}

#[test]
fn all_given_conditions_have_to_hold() {
    let both = |range| Matchers {
        paths: paths(&["/in/**"]).paths,
        ..content_types(&[range])
    };
    assert!(is_match(both("text/csv"), &[]));
    assert!(!is_match(both("text/plain"), &[]));
}

#[test]
fn first_matching_rule_decides_for_its_processor() {
    let rules = vec![
        rule(1, "a", paths(&["/other/**"])),
        rule(2, "a", paths(&["/in/**"])),
        rule(3, "b", Matchers::default()),
        rule(4, "a", Matchers::default()),
        rule(5, "b", paths(&["/in/*.csv"])),
    ];
    assert_eq!(deciding(rules, &[]), [2, 3]);
}
