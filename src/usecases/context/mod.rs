//! What every use case works with: connections, stores, caches, batches and tasks.
//!
//! Use cases import the context; the context imports none of them. What a use case keeps between
//! two requests (a cache, a queue, a lock) is a plain data structure here, and the rules of its use
//! stand with the use case.

mod audit_entry;
mod audit_queue;
mod batches;
mod broker;
mod caches;
mod completions;
mod connections;
mod event_feed;
mod event_signal;
mod observers;
mod per_key;
mod rules;
mod s3_events;
mod stores;
mod tasks;

pub(in crate::usecases) use audit_entry::audit_entry;
pub use audit_queue::AuditQueue;
pub use batches::Batches;
pub(in crate::usecases) use batches::{Queue, Role};
pub use broker::Broker;
pub use caches::Caches;
pub(in crate::usecases) use caches::{CachedKey, TenantAccess};
pub(in crate::usecases) use completions::CompletionPermit;
pub use completions::Completions;
pub use connections::Connections;
pub(in crate::usecases) use event_feed::Subscription;
pub use event_feed::{EventFeed, FeedMessage, StreamLimit, StreamLimits};
pub use event_signal::EventSignal;
pub use observers::Observers;
pub use rules::{Retention, Rules};
pub use s3_events::{QueueState, S3Events};
pub use stores::Stores;
pub use tasks::Tasks;
