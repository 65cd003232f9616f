//! `/uploads/{id}/text` and `/search`: the text of datasets.

pub mod search;
pub mod text;
