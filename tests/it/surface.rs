//! What the broker shows of itself, and to whom.

mod headers;
mod hsts;
mod pages;
mod smuggling;
