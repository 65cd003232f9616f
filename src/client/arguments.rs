//! Options that all client commands share.

use std::path::PathBuf;

use clap::Args;

/// Which broker to use, and how to print.
#[derive(Debug, Args)]
pub struct Common {
    /// URL of the broker; overrides UPLOAD_BROKER_URL and the configuration file
    #[arg(long, value_name = "URL", help_heading = "Common options")]
    pub url: Option<String>,
    /// Configuration file (url, key); default: ~/.config/upload-broker/config.toml
    #[arg(long, value_name = "FILE", help_heading = "Common options")]
    pub config: Option<PathBuf>,
    /// Print results as JSON, one object per line
    #[arg(long, help_heading = "Common options")]
    pub json: bool,
    /// Print only results and errors
    #[arg(long, short, help_heading = "Common options")]
    pub quiet: bool,
}
