//! The command-line arguments of `rm`.

use clap::Args;

use crate::client::api::DeleteOptions;
use crate::client::arguments::Common;
use crate::client::exit;

const EXAMPLES: &str = "\
Examples:
  upload-broker rm /data/employees.csv
  upload-broker rm -r /old/                     asks for confirmation, unless --yes is given
  upload-broker ls -r --json /old/ | jq -r '.path // empty' | xargs -d '\\n' upload-broker rm";

/// The arguments of `rm`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// Paths of the datasets; each is deleted separately
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<String>,
    /// The paths are folders: delete every dataset in them and their subfolders
    #[arg(long, short)]
    pub(super) recursive: bool,
    /// Do not ask for confirmation
    #[arg(long, short, requires = "recursive")]
    pub(super) yes: bool,
    /// Also delete objects that replaced the proven ones without the broker
    #[arg(long, short)]
    pub(super) force: bool,
    /// Also delete the datasets that the broker derived from them
    #[arg(long)]
    pub(super) cascade: bool,
    #[command(flatten)]
    pub(in crate::client) common: Common,
}

impl Arguments {
    pub(super) fn options(&self) -> DeleteOptions {
        DeleteOptions {
            force: self.force,
            cascade: self.cascade,
        }
    }
}
