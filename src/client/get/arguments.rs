//! The command-line arguments of `get`.

use clap::Args;

use crate::client::arguments::Common;
use crate::client::exit;

const EXAMPLES: &str = "\
Examples:
  upload-broker get /data/employees.csv                  to ./employees.csv
  upload-broker get /data/employees.csv backup/          into a folder
  upload-broker get /data/employees.csv - | head         to standard output
  upload-broker get -r /data/2026 results                a whole folder, to results/…

The bytes are written to a hidden file next to the target, which is renamed once its checksum is
the one that the store reports. After an interruption the same command continues where it stopped;
files that already have the right bytes are not downloaded again.";

/// The arguments of `get`.
#[derive(Debug, Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub struct Arguments {
    /// Path of the dataset; with -r, of a folder
    pub(super) path: String,
    /// A file, a folder, or - for standard output; default: the name of the dataset
    #[arg(value_name = "FILE|FOLDER|-")]
    pub(super) to: Option<String>,
    /// Replace existing files
    #[arg(long, short)]
    pub(super) force: bool,
    /// Download every dataset in the folder and its subfolders
    #[arg(long, short)]
    pub(super) recursive: bool,
    /// How many datasets to download at a time, with -r
    #[arg(long, value_name = "N", default_value_t = 4, requires = "recursive",
        value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(super) parallel: u8,
    #[command(flatten)]
    pub(in crate::client) common: Common,
}
