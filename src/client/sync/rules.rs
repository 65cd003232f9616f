//! Which paths are compared at all.

use clap::Args;

use crate::client::glob::Glob;

/// Which paths are compared. The others stay as they are, on both sides.
#[derive(Debug, Default, Args)]
pub(super) struct Rules {
    /// Only what matches; may be given several times
    #[arg(long, value_name = "GLOB")]
    include: Vec<Glob>,
    /// Not what matches, also where it is included; may be given several times
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Glob>,
}

impl Rules {
    /// Whether a path below the folder takes part.
    pub(super) fn take(&self, below: &str) -> bool {
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(below));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }
}
