//! Options that every command of the client has.

use std::path::PathBuf;

use clap::Args;

/// Where the broker is, and how to tell what happens.
#[derive(Debug, Args)]
pub struct Common {
    /// The broker's URL; else UPLOAD_BROKER_URL, or the configuration file
    #[arg(long, value_name = "URL", help_heading = "Options of every command")]
    pub url: Option<String>,
    /// Configuration file (url, key); default: ~/.config/upload-broker/config.toml
    #[arg(long, value_name = "FILE", help_heading = "Options of every command")]
    pub config: Option<PathBuf>,
    /// Print results as JSON, one object a line
    #[arg(long, help_heading = "Options of every command")]
    pub json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, help_heading = "Options of every command")]
    pub quiet: bool,
}
