//! Sessions in parts, as a client sees them: created, sent, resumed, acknowledged and ended.

mod at_once;
mod bad_input;
mod bad_sizes;
mod checksums;
mod complete;
mod crashes;
mod deadline;
mod extend;
mod invalid_sessions;
mod lost;
mod multipart_starts;
mod other_stores;
mod pages;
mod plans;
mod proven_stays;
mod python_client;
mod refused;
mod repeated;
mod replicas;
mod restart;
pub mod scene;
mod unknown_size;
mod whole;
mod wrong_expected_values;
