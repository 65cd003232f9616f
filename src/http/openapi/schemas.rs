//! Schemas that are made from the domain types, so that the document always lists all values.

use utoipa::openapi::schema::{
    ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Array, Object};

use crate::domain::audit::Action;
use crate::domain::checksum::Algorithm;
use crate::domain::drift::Drift;
use crate::domain::event::EventType;
use crate::domain::job::JobStatus;
use crate::domain::job_report::Reported;
use crate::domain::principal::Scope;
use crate::domain::proof::ProofLevel;
use crate::domain::status::Status;
use crate::domain::upload::Verifier;

/// The statuses of an upload.
pub fn status() -> Object {
    one_of(Status::ALL.map(Status::as_str), "The status of an upload.")
}

/// The statuses of a job.
pub fn job_status() -> Object {
    one_of(
        JobStatus::ALL.map(JobStatus::as_str),
        "The status of a job.",
    )
}

/// What a worker may report.
pub fn reported() -> Object {
    one_of(
        Reported::ALL.map(Reported::as_str),
        "What the worker reports.",
    )
}

/// The actions of the audit trail.
pub fn action() -> Object {
    one_of(Action::ALL.map(Action::as_str), "The action.")
}

/// The checksum algorithms.
pub fn algorithm() -> Object {
    let names = Algorithm::ALL.map(Algorithm::as_str);
    one_of(names, "The algorithm, as S3 names it.")
}

/// A checksum algorithm or null.
pub fn algorithm_or_null() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(null).item(algorithm()).into()
}

/// The kinds of credentials.
pub fn credential() -> Object {
    one_of(
        ["key", "upload-token", "jwt", "none"],
        "What the credential is. `none`: the broker requires none.",
    )
}

/// The scopes of a credential.
pub fn scopes() -> Array {
    ArrayBuilder::new()
        .items(one_of(Scope::ALL.map(Scope::as_str), "A scope."))
        .description(Some(
            "The scopes of the credential. `admin` includes all others.",
        ))
        .build()
}

/// The scopes of an upload token.
pub fn token_scopes() -> Array {
    let names = Scope::FOR_TOKENS.map(Scope::as_str);
    let scope = one_of(names, "A scope of a credential.");
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(scope)
        .min_items(Some(1))
        .description(Some(
            "The scopes of the token; `uploads:write` by default. Your credential must have each of them.",
        ))
        .build()
}

/// The levels of verification.
pub fn level() -> Object {
    one_of(
        ProofLevel::ALL.map(ProofLevel::as_str),
        "`checksum`: the store returned the declared checksum. `size`: the object has the declared size. `existence`: an object that was written with the URL of this upload exists.",
    )
}

/// The triggers of a verification.
pub fn verifier() -> Object {
    one_of(
        Verifier::ALL.map(Verifier::as_str),
        "What triggered the verification.",
    )
}

/// The types of events.
pub fn event_type() -> Object {
    one_of(
        EventType::ALL.map(EventType::as_str),
        "The type of the event.",
    )
}

/// The kinds of drift.
pub fn drift() -> Object {
    one_of(
        Drift::ALL.map(Drift::as_str),
        "`missing`, or `replaced` if the object has other bytes.",
    )
}

/// The path of a dataset in a request body.
pub fn dataset_path(description: &str, example: &str) -> Object {
    let mut path = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .max_length(Some(1025))
        .min_length(Some(1))
        .pattern(Some(
            r"^/?[^/\u0000-\u001f\u007f-\u009f]+(/[^/\u0000-\u001f\u007f-\u009f]+)*$",
        ))
        .build();
    path.example = Some(example.into());
    path
}

fn one_of<const N: usize>(values: [&'static str; N], description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(values))
        .description(Some(description))
        .build()
}
