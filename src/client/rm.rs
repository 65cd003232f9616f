//! `rm`.

use clap::Args;

use super::Context;
use super::arguments::Common;
use super::error::{Error, Result};
use super::exit::Exit;

/// What.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
}

/// Runs it.
pub async fn run(_: &Context, _: Arguments) -> Result<Exit> {
    Err(Error::Failed("rm is not there yet".to_owned()))
}
