//! An S3 server in this process. The crate s3s implements the protocol; this module implements the
//! storage.
//!
//! ```text
//!   hyper ─▶ server ─▶ cors ─▶ s3s (routing, XML, SigV4) ─▶ access ─▶ store
//!                                                                      ├─▶ put get list delete copy buckets tags multipart
//!                                                                      ├─▶ bodies   one file per body, named by id
//!                                                                      └─▶ index    redb: key ─▶ record, in key order
//! ```
//!
//! It is meant for `upload-broker dev` and for tests: one process, one disk, no replication. The supported
//! operations behave as those of S3 (status codes, preconditions, checksums). Every other operation
//! returns `NotImplemented`.
//!
//! An object is visible completely or not at all. Its bytes are on disk before the index refers to them,
//! and the index changes in one transaction. So a `kill -9` or a power cut leaves at most a body that the
//! index does not refer to, and the next start removes it. A disk error fails the request with 500
//! `InternalError` and is logged; the server continues.

mod access;
mod bodies;
mod buckets;
mod checksum;
mod commit;
mod condition;
mod copy;
mod cors;
mod declared;
mod declared_checksum;
mod delete;
mod discard;
mod errors;
mod events;
mod fields;
mod get;
mod index;
mod list;
mod multipart;
mod object;
mod operations;
mod options;
mod put;
mod receive;
mod server;
mod store;
mod tags;

pub use errors::Error;
pub use events::{Event, EventName, Observer};
pub use options::Options;
pub use server::{Server, start};
