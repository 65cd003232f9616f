//! The OpenAPI document is complete: each operation has all that a client needs to know.

use std::collections::BTreeSet;

use serde_json::Value;

/// `(method path, operation)` of the whole document.
fn operations() -> Vec<(String, Value)> {
    let document: Value = serde_json::from_str(&super::json()).expect("the document as JSON");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            all.push((format!("{method} {path}"), operation.clone()));
        }
    }
    all
}

fn is_public(operation: &Value) -> bool {
    operation["security"] == serde_json::json!([])
}

#[test]
fn json_is_openapi_3_1_and_equals_yaml() {
    let json: Value = serde_json::from_str(&super::json()).expect("JSON");
    let yaml: Value = yaml_serde::from_str(&super::yaml()).expect("YAML");
    assert_eq!(json["openapi"], "3.1.0");
    assert_eq!(json, yaml);
}

#[test]
fn every_operation_has_texts_unique_id_and_one_tag() {
    let mut ids = BTreeSet::new();
    for (name, operation) in operations() {
        for member in ["summary", "description", "operationId"] {
            let text = operation[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{name} has no {member}");
        }
        let id = operation["operationId"].to_string();
        assert!(ids.insert(id.clone()), "{name}: {id} is not unique");
        assert_eq!(
            operation["tags"].as_array().map(Vec::len),
            Some(1),
            "{name}"
        );
    }
    assert_eq!(ids.len(), crate::http::operations::all().count());
}

#[test]
fn every_operation_has_scopes_or_is_public() {
    for (name, operation) in operations() {
        let is_api = [
            "/uploads",
            "/datasets",
            "/jobs",
            "/search",
            "/events",
            "/audit",
            "/tokens",
            "/s3",
            "/principal",
            "/usage",
        ]
        .iter()
        .any(|start| name.contains(start));
        assert_eq!(is_public(&operation), !is_api, "{name}");
        // Any credential may ask for its own rights.
        if is_api && name != "get /principal" {
            let scopes = operation["security"][0]["bearer"].as_array();
            assert!(
                scopes.is_some_and(|scopes| !scopes.is_empty()),
                "{name}: {}",
                operation["security"]
            );
        }
    }
}

#[test]
fn every_body_has_an_example() {
    for (name, operation) in operations() {
        let responses = operation["responses"].as_object().expect("responses");
        let bodies = responses
            .iter()
            .map(|(status, response)| (status.as_str(), response));
        let request = operation.get("requestBody").map(|body| ("request", body));
        for (which, body) in bodies.chain(request) {
            for (media_type, content) in body["content"].as_object().into_iter().flatten() {
                let has_example = content.get("example").is_some()
                    || content.get("examples").is_some()
                    || media_type == "text/html";
                assert!(has_example, "{name}, {which}, {media_type}: no example");
            }
        }
    }
}

#[test]
fn every_authenticated_operation_documents_its_problems() {
    for (name, operation) in operations() {
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.contains_key("500"), "{name}");
        if !is_public(&operation) {
            let has_scopes = operation["security"][0]["bearer"] != serde_json::json!([]);
            let has_input = ["requestBody", "parameters"]
                .iter()
                .any(|input| operation.get(input).is_some());
            let statuses = [
                ("401", true),
                ("403", has_scopes),
                ("422", has_input),
                ("503", true),
            ];
            for (status, _) in statuses
                .into_iter()
                .filter(|(_, is_documented)| *is_documented)
            {
                let problem = &responses[status]["content"]["application/problem+json"];
                assert_eq!(
                    problem["schema"]["$ref"], "#/components/schemas/Problem",
                    "{name}, {status}: {}",
                    responses[status]
                );
            }
        }
    }
}

#[test]
fn every_reference_resolves() {
    let document: Value = serde_json::from_str(&super::json()).expect("JSON");
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().expect("a quote");
        assert!(document.pointer(pointer).is_some(), "{pointer} is missing");
    }
}
