//! What every client command needs.

use super::api::Api;
use super::output::Output;

/// What every command needs.
pub(super) struct Context {
    pub(super) api: Api,
    pub(super) output: Output,
}
