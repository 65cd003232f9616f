//! Checks the answers of a running broker against the document.

use jsonschema::Validator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::Reply;

/// The OpenAPI document.
pub struct Contract(Value);

impl Contract {
    pub fn new() -> Contract {
        let document = upload_broker::http::openapi::document();
        Contract(serde_json::to_value(document).expect("the document"))
    }

    /// A validator for a schema of the document, with which its `$ref`s resolve.
    fn validator(&self, mut schema: Value) -> Validator {
        // In OpenAPI 3.1 a schema is JSON Schema 2020-12, and references point into the whole
        // document.
        schema["components"] = self.0["components"].clone();
        if schema.get("$ref").is_some() {
            // A field that the document does not mention is a gap in the document.
            schema["unevaluatedProperties"] = json!(false);
        }
        let options = jsonschema::options().should_validate_formats(true);
        options
            .build(&schema)
            .unwrap_or_else(|error| panic!("{error}: {schema:#}"))
    }

    /// Panics unless the document describes `reply` as an answer of this operation.
    #[track_caller]
    pub fn check(&self, method: &Method, template: &str, reply: &Reply) {
        let name = method.as_str().to_lowercase();
        let context = format!("{method} {template}: {reply:#?}");
        let operation = &self.0["paths"][template][&name];
        let promised = &operation["responses"][reply.status.as_str()];
        assert!(
            promised.is_object(),
            "the document knows no such status: {context}"
        );
        for header in promised["headers"].as_object().into_iter().flatten() {
            let optional = header.0 == "Link";
            assert!(
                optional || reply.header(header.0).is_some(),
                "no {}: {context}",
                header.0
            );
        }
        let Some(content) = promised["content"].as_object() else {
            assert_eq!(reply.body, "", "{context}");
            return;
        };
        let media_type = reply.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default();
        let schema = content.get(media_type);
        let schema =
            schema.unwrap_or_else(|| panic!("the document knows no {media_type}: {context}"));
        let value = if media_type.ends_with("json") {
            reply.json()
        } else {
            Value::String(reply.body.clone())
        };
        let Some(schema) = schema.get("schema") else {
            return;
        };
        let faults: Vec<String> = self
            .validator(schema.clone())
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{faults:#?} in {context}");
    }
}

/// A client that checks each answer against the document.
pub struct Checked<'a> {
    pub app: &'a App,
    pub contract: Contract,
}

impl Checked<'_> {
    pub async fn ask(&self, method: Method, template: &str, path: &str, body: Value) -> Reply {
        let mut request = self.app.request(method.clone(), path);
        if !body.is_null() {
            request = request.json(&body);
        }
        let reply = Reply::of(request).await;
        self.contract.check(&method, template, &reply);
        reply
    }

    pub async fn get(&self, template: &str, path: &str, status: u16) -> Value {
        let reply = self.ask(Method::GET, template, path, Value::Null).await;
        assert_eq!(reply.status.as_u16(), status, "{reply:#?}");
        match reply.header("content-type") {
            Some(kind) if kind.ends_with("json") => reply.json(),
            _ => Value::Null,
        }
    }

    pub async fn post(&self, template: &str, path: &str, body: Value, status: u16) -> Value {
        let reply = self.ask(Method::POST, template, path, body).await;
        reply.expect(StatusCode::from_u16(status).expect("a status"))
    }

    pub async fn delete(&self, template: &str, path: &str, status: u16) {
        let reply = self.ask(Method::DELETE, template, path, Value::Null).await;
        assert_eq!(reply.status.as_u16(), status, "{reply:#?}");
    }
}

/// A check that accepts everything would prove nothing.
#[test]
fn answer_that_violates_the_schema_is_rejected() {
    let contract = Contract::new();
    let heartbeat = json!({"$ref": "#/components/schemas/Heartbeat"});
    let validator = contract.validator(heartbeat);
    let good = json!({"status": "ok", "version": "1", "time": "2025-03-01T10:00:07.123Z"});
    assert!(validator.is_valid(&good));
    for (field, value) in [
        ("status", Value::Null),
        ("time", json!("yesterday")),
        ("more", json!(1)),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert!(!validator.is_valid(&bad), "{bad}");
    }
    assert!(!validator.is_valid(&json!({"status": "ok"})));
}
