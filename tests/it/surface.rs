//! What the broker shows of itself, and to whom.

mod headers;
mod pages;
mod smuggling;
