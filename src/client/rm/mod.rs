//! `rm`: deletes datasets.

mod arguments;
mod delete;
mod folder;
mod prompt;

use super::context::Context;
use super::error::{Error, Result};
use super::exit::Exit;
pub use arguments::Arguments;
pub(super) use delete::delete;

/// Deletes the datasets one after the other. Returns the most severe exit code.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let mut worst = Exit::Done;
    for path in &arguments.paths {
        let end = match arguments.recursive {
            true => folder::delete_below(context, path, &arguments).await?,
            false if path.trim_matches('/').is_empty() || path.ends_with('/') => {
                let what = "use -r to delete a folder; `ls -r` lists its content";
                let error = Error::Failed(what.to_owned());
                context.output.report_failure(path, error)?
            }
            false => delete(context, path, arguments.options()).await?,
        };
        worst = worst.max(end);
    }
    Ok(worst)
}
