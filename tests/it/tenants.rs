//! Tenants: their limits, quotas, retention and deactivation, and the isolation between them.

mod bucket;
mod disabled;
mod escape;
mod limits;
mod open_ends;
mod quota_isolation;
mod quota_pool;
mod quota_races;
mod quota_set;
mod quotas;
mod retention;
mod scene;
mod tokens;
mod wrong_objects;
