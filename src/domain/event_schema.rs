//! The JSON Schema (2020-12) of an event as subscribers receive it: the envelope and its `data`.
//!
//! The names of types, statuses, levels and algorithms come from the domain types. The tests compare
//! the members with those of [`event_data`](super::event::event_data) and of the envelope, and check
//! real events against the schema.

use serde_json::{Value, json};

use super::checksum::Algorithm;
use super::drift::Drift;
use super::event::EventType;
use super::proof::ProofLevel;
use super::status::{Status, Transition};
use super::upload::Verifier;

/// The version of the schema of `data`. It changes when a member is removed or gets another
/// meaning, and not when one is added.
pub const SCHEMA_VERSION: &str = "1";

/// Makes the schema.
///
/// Members may be added without a new version, so the schema permits members that it does not name.
pub fn event_schema() -> Value {
    let by_type = EventType::ALL.map(conditions_of);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Event of upload-broker, schema version {SCHEMA_VERSION}"),
        "description": "A CloudEvent 1.0 in JSON. Deliveries are at least once: an event that is delivered again has the same `id`.",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": described(uuid(), "A UUIDv7. Recognise repetitions by it."),
            "source": {"const": "upload-broker"},
            "type": described(one_of(EventType::ALL.map(EventType::as_str)), "What happened."),
            "subject": {"type": "string", "description": "The path of the dataset."},
            "time": described(time(), "When it happened."),
            "datacontenttype": {"const": "application/json"},
            "sequence": {
                "type": "string",
                "pattern": "^[1-9][0-9]*$",
                "description": "The number of the event within its upload, from 1. Order the events of one upload by it, as a number.",
            },
            "tenant": {"type": "string", "minLength": 1},
            "traceparent": {
                "type": "string",
                "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
                "description": "The trace context (W3C) of the request that caused the event; absent if that is not known.",
            },
            "data": {"$ref": "#/$defs/data"},
        },
        "required": [
            "specversion", "id", "source", "type", "subject", "time", "datacontenttype",
            "sequence", "tenant", "data",
        ],
        "allOf": by_type,
        "$defs": {"data": data(), "checksum": checksum(), "verification": verification()},
    })
}

/// The schema of `data`: the state of the upload after the change.
fn data() -> Value {
    let acknowledged = (Status::ALL.into_iter())
        .filter(|status| status.is_acknowledged())
        .map(Status::as_str)
        .collect::<Vec<_>>();
    json!({
        "type": "object",
        "description": "The upload after the change.",
        "properties": {
            "upload_id": uuid(),
            "status": one_of(Status::ALL.map(Status::as_str)),
            "name": {"type": "string"},
            "path": {"type": "string", "pattern": "^/"},
            "s3_url": {"type": "string", "pattern": "^s3://"},
            "bucket": {"type": "string"},
            "key": {"type": "string"},
            "size": {
                "type": ["integer", "null"],
                "minimum": 0,
                "description": "In bytes; the declared size as long as nothing is proven.",
            },
            "etag": {"type": ["string", "null"], "description": "With its quotes."},
            "version_id": {"type": ["string", "null"]},
            "content_type": {"type": "string"},
            "checksum": or_null(json!({"$ref": "#/$defs/checksum"})),
            "verification": or_null(json!({"$ref": "#/$defs/verification"})),
            "comments": {"type": ["string", "null"]},
            "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
            "error": or_null(json!({
                "type": "object",
                "properties": {
                    "code": {"type": "string", "description": "A problem code."},
                    "detail": {"type": "string"},
                },
                "required": ["code", "detail"],
            })),
            "drift": described(
                one_of(Drift::ALL.map(Drift::as_str)),
                "How the object differs from the proven one; absent if it does not.",
            ),
            "derived_from": described(
                uuid(),
                "The upload that the dataset was made from; absent if a client uploaded it.",
            ),
        },
        "required": [
            "upload_id", "status", "name", "path", "s3_url", "bucket", "key", "size", "etag",
            "version_id", "content_type", "checksum", "verification", "comments", "metadata",
            "error",
        ],
        "if": {"properties": {"status": {"enum": acknowledged}}},
        "then": {"properties": {
            "size": {"type": "integer"},
            "etag": {"type": "string"},
            "verification": {"type": "object"},
        }},
    })
}

/// What an event of this type says about its `data`.
fn conditions_of(kind: EventType) -> Value {
    let statuses = statuses_after(kind);
    let required: &[&str] = match kind {
        EventType::Drifted => &["drift"],
        _ => &[],
    };
    let data = json!({"properties": {"status": {"enum": statuses}}, "required": required});
    json!({
        "if": {"properties": {"type": {"const": kind.as_str()}}},
        "then": {"properties": {"data": data}},
    })
}

/// The statuses that an upload may have after an event of this type.
fn statuses_after(kind: EventType) -> Vec<&'static str> {
    let transitions = Transition::ALL.into_iter();
    let mut statuses: Vec<Status> = transitions
        .filter(|transition| EventType::of(*transition) == kind)
        .map(Transition::to)
        .collect();
    // Drift is no transition.
    if statuses.is_empty() {
        statuses.extend(
            Status::ALL
                .into_iter()
                .filter(|status| status.is_acknowledged()),
        );
    }
    statuses.into_iter().map(Status::as_str).collect()
}

fn checksum() -> Value {
    json!({
        "type": "object",
        "properties": {
            "algorithm": one_of(Algorithm::ALL.map(Algorithm::as_str)),
            "value": {"type": "string", "description": "In base64, as S3 writes it."},
        },
        "required": ["algorithm", "value"],
    })
}

fn verification() -> Value {
    json!({
        "type": "object",
        "properties": {
            "level": one_of(ProofLevel::ALL.map(ProofLevel::as_str)),
            "by": one_of(Verifier::ALL.map(Verifier::as_str)),
            "at": time(),
        },
        "required": ["level", "by", "at"],
    })
}

fn one_of<const N: usize>(names: [&str; N]) -> Value {
    json!({"type": "string", "enum": names.as_slice()})
}

fn or_null(schema: Value) -> Value {
    json!({"oneOf": [schema, {"type": "null"}]})
}

fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), json!(description));
    }
    schema
}
