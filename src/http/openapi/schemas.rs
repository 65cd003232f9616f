//! Closed sets of words, straight from the rules, so that the document cannot fall behind them.

use utoipa::openapi::schema::{
    ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Array, Object};

use crate::domain::audit::Action;
use crate::domain::checksum::Algorithm;
use crate::domain::principal::Scope;
use crate::domain::proof::Level;
use crate::domain::status::Status;
use crate::domain::upload::Verifier;

/// The states of an upload.
pub fn status() -> Object {
    words(
        Status::ALL.map(Status::as_str),
        "Where an upload is in its life.",
    )
}

/// What the audit tells of.
pub fn action() -> Object {
    words(Action::ALL.map(Action::as_str), "What was done.")
}

/// Checksum algorithms.
pub fn algorithm() -> Object {
    let names = Algorithm::ALL.map(Algorithm::as_str);
    words(names, "As S3 names them.")
}

/// A checksum algorithm, or none.
pub fn algorithm_or_null() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(null).item(algorithm()).into()
}

/// The scopes of an upload token.
pub fn token_scopes() -> Array {
    let names = Scope::FOR_TOKENS.map(Scope::as_str);
    let scope = words(names, "What a credential may do.");
    ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(scope)
        .min_items(Some(1))
        .description(Some(
            "What it may do; by default `uploads:write`. You need to hold each of them.",
        ))
        .build()
}

/// How much was proven.
pub fn level() -> Object {
    words(
        Level::ALL.map(Level::as_str),
        "`checksum`: the store returned the declared checksum. `size`: the size is the declared one. `existence`: an object written by this upload's URL is there.",
    )
}

/// Who asked for a proof.
pub fn verifier() -> Object {
    words(
        Verifier::ALL.map(Verifier::as_str),
        "Who asked for the proof.",
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

fn words<const N: usize>(words: [&'static str; N], description: &str) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .description(Some(description))
        .build()
}
