//! The modes of a sweep.

/// Whether a sweep records its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Drift is recorded with its event, and objects that arrived late are proven.
    Repair,
    /// Nothing changes in Postgres or S3, including the progress of the sweep.
    DryRun,
}
