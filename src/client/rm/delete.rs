//! Deletes one dataset.

use serde_json::json;

use crate::client::api::DeleteOptions;
use crate::client::context::Context;
use crate::client::error::Result;
use crate::client::exit::Exit;
use crate::client::output::printable;

/// Deletes one dataset, and prints the result.
pub(in crate::client) async fn delete(
    context: &Context,
    path: &str,
    options: DeleteOptions,
) -> Result<Exit> {
    match context.api.delete_dataset(path, options).await {
        Ok(()) => {
            let text = || format!("deleted {}", printable(path));
            let value = json!({"path": path, "deleted": true});
            context.output.result(&value, text)?;
            Ok(Exit::Done)
        }
        Err(error) => context.output.report_failure(path, error),
    }
}
