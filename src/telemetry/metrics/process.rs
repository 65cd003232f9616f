//! Metrics of the process.

use chrono::{DateTime, Utc};
use prometheus::{IntGauge, Registry, Result};

use super::register::{info, int_gauge};

#[derive(Debug)]
pub(super) struct Process {
    resident: IntGauge,
}

impl Process {
    pub(super) fn new(registry: &Registry, started: DateTime<Utc>) -> Result<Self> {
        let version = ("version", env!("CARGO_PKG_VERSION"));
        info(
            registry,
            "build_info",
            "Always 1. The label is the version that runs.",
            version,
        )?;
        let start = int_gauge(
            registry,
            "process_start_time_seconds",
            "When the process started, in seconds since 1970.",
        )?;
        start.set(started.timestamp());
        let resident = int_gauge(
            registry,
            "process_resident_memory_bytes",
            "Memory of the process in RAM; 0 if the system does not report it.",
        )?;
        Ok(Self { resident })
    }

    pub(super) fn refresh(&self) {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        self.resident.set(resident_bytes(&status).unwrap_or(0));
    }
}

/// Parses the line `VmRSS:     1234 kB` of proc_pid_status(5).
fn resident_bytes(status: &str) -> Option<i64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kibibytes.checked_mul(1024)
}
