//! `upload-broker`: the control plane between clients and S3.
//!
//! It hands out pre-signed PUT URLs as upload sessions, proves on acknowledge that the object
//! which arrived is the one that was promised, and reports exactly those to SNS. It never carries
//! the bytes.
//!
//! Data flows one way:
//!
//! ```text
//!   request ─▶ http ─▶ usecases ─▶ domain            pure rules, a leaf
//!                         ├──────▶ store             Postgres
//!                         ├──────▶ objects           S3: presign, HEAD, list, delete
//!                         └──────▶ identity          JWTs and upload tokens: who says what
//!   event row (written by a use case in its own transaction)
//!              relay ─▶ notify ─▶ SNS, webhooks
//!   janitor ─▶ usecases
//!   audit ─▶ usecases                                writes down who did what
//!   feed ─▶ usecases                                 reads new events for live streams
//!   S3's own events (SQS) ─▶ arrivals ─▶ usecases
//!   worker ─▶ processors                             bytes to results, in a bounded process
//!     ├────▶ textract                                text of documents, by Amazon Textract
//!     └────▶ usecases                                claims jobs, writes results
//!
//!   config, telemetry, lifecycle, clock              named by all others, name none of them
//!   dev                                              the embedded stack (feature `dev`)
//!   client ─▶ the HTTP contract                      put, get, ls, rm, status; names no other folder
//!   commands                                         wiring
//! ```
//!
//! `tests/it/architecture.rs` holds this picture against the `use` lines.

pub mod arrivals;
pub mod audit;
pub mod client;
pub mod clock;
pub mod commands;
pub mod config;
#[cfg(feature = "dev")]
pub mod dev;
pub mod domain;
pub mod feed;
pub mod http;
pub mod identity;
pub mod janitor;
pub mod lifecycle;
pub mod notify;
pub mod objects;
pub mod processors;
pub mod sqs;
pub mod store;
pub mod telemetry;
pub mod textract;
pub mod usecases;
pub mod worker;
