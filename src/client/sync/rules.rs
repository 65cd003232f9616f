//! Decides which paths are compared.

use clap::Args;

use crate::client::glob::Glob;

/// Which paths are compared. The others remain unchanged on both sides.
#[derive(Debug, Default, Args)]
pub(super) struct Rules {
    /// Only paths that match; may be given several times
    #[arg(long, value_name = "GLOB")]
    include: Vec<Glob>,
    /// Skip paths that match, even if they are included; may be given several times
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Glob>,
}

impl Rules {
    /// Whether a path relative to the folder is compared.
    pub(super) fn include(&self, relative_path: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(relative_path));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}
