//! `get`: downloads a dataset and verifies its checksum.

mod arguments;
mod destination;
mod download;
mod fetch;
mod folder;
mod leftovers;
mod part_file;
mod sink;
mod target;

use super::context::Context;
use super::error::{Error, Result};
use super::exit::Exit;
use super::s3::S3;
pub use arguments::Arguments;
pub(super) use destination::DestinationFolder;
pub(super) use download::download;
pub(super) use part_file::is_part_file;
pub(super) use target::Target;

/// Runs `get`.
pub async fn run(context: &Context, arguments: Arguments) -> Result<Exit> {
    let to = arguments.to.as_deref();
    if arguments.recursive {
        return folder::run(context, &arguments).await;
    }
    let target = Target::of(&arguments.path, to, arguments.force)?;
    if target.is_stdout() && context.output.is_json() {
        let what = "--json cannot be used while the dataset is written to standard output";
        return Err(Error::settings(what));
    }
    let s3 = S3::new()?;
    let detail = context.api.dataset(&arguments.path).await?;
    download::download(context, &s3, detail, &target).await?;
    Ok(Exit::Done)
}
