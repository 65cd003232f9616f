//! Tests through the public interface, against real parts.

#![allow(
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking; clippy knows #[test] functions, but not their helpers"
)]

mod acknowledge;
mod addresses;
mod architecture;
mod audit;
mod auth;
mod bad_bytes;
mod bad_input;
mod batch;
mod cli;
mod client;
mod credentials;
mod datasets;
mod delete;
mod derived;
mod dev;
mod dev_s3;
mod docs;
mod doctor;
mod documents;
mod encryption;
mod event_schema;
mod examples;
mod expiry;
mod faults;
mod groups;
mod http_edge;
mod idempotency;
mod images;
mod janitor;
mod jobs;
mod leaks;
mod live_events;
mod migrations;
mod model;
mod multipart;
mod notify_kinds;
mod openapi;
mod outbox;
mod page;
mod parts;
mod plans;
mod pooler;
mod postgres_starter;
mod postgres_tls;
mod principal;
mod processors;
mod properties;
mod python_client;
mod races;
mod rate_limits;
mod readme;
mod removals;
mod replicas;
mod round_trip;
mod rules;
mod s3_events;
mod schema_drift;
mod serve;
mod service;
mod service_pages;
mod signed_put;
mod signing;
mod stores;
mod support;
mod support_works;
mod surface;
mod tenants;
mod textract;
mod tls;
mod traces;
mod uploads;
mod uppy;
mod webhooks;
mod worker;
