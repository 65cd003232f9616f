//! `serve`: runs the broker in production.

use std::process::ExitCode;

use super::assemble::{AssembleError, assemble};
use super::aws::load_cloud;
use super::output::{report_failure, report_invalid_settings, start_log, warn_unknown_variables};
use crate::clock::Clock;
use crate::config::{self, Settings};
use crate::lifecycle::Shutdown;

pub(super) async fn run() -> ExitCode {
    let settings = match config::from_env() {
        Ok(settings) => settings,
        Err(faults) => return report_invalid_settings(&faults),
    };
    start_log(&settings.log);
    warn_unknown_variables();
    match serve(&settings).await {
        Ok(code) => code,
        Err(error) => report_failure("The broker cannot start", &error),
    }
}

async fn serve(settings: &Settings) -> Result<ExitCode, AssembleError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    let cloud = load_cloud(settings).await?;
    assemble(settings, &cloud, Clock::system())
        .await?
        .run(settings, &shutdown, |_| {})
        .await
}
