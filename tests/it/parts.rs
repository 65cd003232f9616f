//! Sessions in parts, as a client sees them: created, sent, resumed, acknowledged and ended.

mod at_once;
mod bad_input;
mod bad_sizes;
mod begun;
mod begun_anew;
mod checksums;
mod complete;
mod crashes;
mod deadline;
mod extend;
mod lies;
mod lost;
mod open_sum;
mod other_stores;
mod others;
mod pages;
mod plans;
mod proven_stays;
mod refused;
mod repeated;
mod replicas;
pub mod scene;
mod strangers;
mod whole;
