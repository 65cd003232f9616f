//! What the broker shows of itself, and to whom.

mod connections;
mod expect;
mod headers;
mod hsts;
mod pages;
mod smuggling;
