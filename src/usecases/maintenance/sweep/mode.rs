//! What a sweep does with what it finds.

/// Whether what is found is noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Drift is noted with its event, objects that came late are proven.
    Repair,
    /// Nothing changes, in Postgres or in S3; not the sweep's own place either.
    DryRun,
}
