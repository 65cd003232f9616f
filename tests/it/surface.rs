//! What the broker shows to clients: connections, headers and pages.

mod connections;
mod expect;
mod headers;
mod hsts;
mod pages;
mod smuggling;
