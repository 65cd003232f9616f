//! `put`: uploads files, folders and standard input.

use clap::Args;

use super::Context;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::Exit;

/// What to upload, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
}

/// Uploads.
pub async fn run(_: &Context, _: Arguments) -> Result<Exit> {
    Err(Error::Failed("put is not there yet".to_owned()))
}
