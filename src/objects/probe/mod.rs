//! Probes of a store: a few objects are written and checked, to find out what the store supports.
//!
//! [`Probe`] writes as a client does, with pre-signed URLs over plain HTTP. [`AbilityProbe`] uses
//! the SDK, as the broker does.
//!
//! All objects of a probe are in the folder [`FOLDER`], which no upload uses, under a unique name.
//! [`Probe::clean_up`] removes everything that was written or started; the caller calls it after
//! every probe, also after a failed one. When a probe is stopped, it finishes requests that it has
//! sent and sends no new ones. Objects are left behind only if the process is killed, or if the
//! store completes a write long after its timeout.

mod ability_probe;
mod artifacts;
mod checksum_probe;
mod client_probe;
mod error;
mod outcome;
mod plain_http;

pub use ability_probe::{AbilityProbe, AbilityReport};
pub use artifacts::{FOLDER, ProbeArtifacts};
pub use client_probe::Probe;
pub use error::ProbeError;
pub use outcome::Outcome;
pub use plain_http::{Answer, ClockComparison, PlainHttp};
