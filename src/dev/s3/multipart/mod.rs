//! Multipart uploads: created, filled part by part, then completed to one object or aborted.
//!
//! ```text
//!   create ─▶ index: upload ─▶ part ─▶ body file + index: part ─▶ complete ─▶ one body, one object
//!                                                               └▶ abort
//! ```
//!
//! A part is a body file like that of an object, received and verified before the index refers to it. A
//! completion copies the parts into a new body, which temporarily needs twice the disk space. Then one
//! transaction creates the object, subject to its precondition, and removes the upload and its parts.
//!
//! Before that transaction a failure changes neither the upload nor its parts; after it, the object
//! exists. If the process dies between the transaction and the removal of the part files, the next start
//! removes them.

pub(super) mod complete;
pub(super) mod create;
pub(super) mod list;
pub(super) mod part;
pub(super) mod part_copy;

mod checksum_method;
mod join;
mod plan;
mod records;

pub(super) use records::{Part, Upload, UploadKey};
