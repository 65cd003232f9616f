//! The index of buckets, objects and multipart uploads, in redb.
//!
//! Every change is one write transaction. redb runs write transactions one after another, so the result
//! of a precondition that is checked inside a transaction is final: of fifty concurrent writes with
//! `If-None-Match: *`, exactly one succeeds.
//!
//! Commits use `Durability::Immediate`. With `None` they would not even survive a `kill -9`, because redb
//! keeps such commits in memory. Together with the fsync of the body and of its folder, a small PUT needs
//! three fsyncs. A debug build was measured at 300 PUTs per second from one client and 700 to 1,100 from
//! sixteen, and at 140 while other processes kept the disk busy. That is enough for one developer; tests
//! disable fsync, see `Unsynced`.

mod buckets;
mod database;
mod objects;
mod page;
mod parts;
mod tables;
mod unsynced;
mod uploads;

pub(super) use database::Index;
pub(super) use page::{Position, Query};
pub(super) use uploads::UploadsQuery;
