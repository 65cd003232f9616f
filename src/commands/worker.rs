//! `worker`: runs jobs, and serves health checks and metrics.

use std::process::ExitCode;

use super::output::{report_failure, start_log, warn_unknown_variables};
use super::serve::serve;
use super::settings;
use crate::config::{Role, Roles, Settings};

pub(super) async fn run() -> ExitCode {
    let (settings, rules) = match settings::from_env() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    start_log(&settings.log);
    warn_unknown_variables();
    match serve(&only_worker(settings), rules).await {
        Ok(code) => code,
        Err(error) => report_failure("The worker cannot start", &error),
    }
}

/// The settings of a process that only runs jobs, with the address of its health checks.
fn only_worker(mut settings: Settings) -> Settings {
    settings.roles = Roles::only(Role::Worker);
    settings.http.bind = settings.worker.bind;
    settings
}
