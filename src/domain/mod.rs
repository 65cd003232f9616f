//! Pure rules: no I/O, no async. Every folder may use these types; they use no other folder.

pub mod abilities;
pub mod audit;
pub mod bounds;
pub mod checksum;
pub mod drift;
pub mod encryption;
pub mod event;
pub mod event_schema;
pub mod finding;
pub mod headers;
pub mod jail;
pub mod mismatch;
pub mod multipart_digest;
pub mod notified_types;
pub mod object;
pub mod page;
pub mod part_plan;
pub mod path;
pub mod prefix;
pub mod principal;
pub mod proof;
pub mod quota;
pub mod refusal;
pub mod status;
pub mod tenant;
pub mod upload;
