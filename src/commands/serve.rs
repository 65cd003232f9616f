//! `serve`: runs the broker in production.

use std::process::ExitCode;

use super::assemble::{AssembleError, assemble};
use super::aws::load_cloud;
use super::output::{report_failure, start_log, warn_unknown_variables};
use super::settings;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::rules::ProcessingRules;
use crate::lifecycle::{Hangups, Shutdown};

pub(super) async fn run() -> ExitCode {
    let (settings, rules) = match settings::from_env() {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    start_log(&settings.log);
    warn_unknown_variables();
    match serve(&settings, rules).await {
        Ok(code) => code,
        Err(error) => report_failure("The broker cannot start", &error),
    }
}

pub(super) async fn serve(
    settings: &Settings,
    rules: ProcessingRules,
) -> Result<ExitCode, AssembleError> {
    let shutdown = Shutdown::new();
    shutdown.on_signals().map_err(AssembleError::Signals)?;
    if settings.http.tls.is_none() {
        let hangups = Hangups::new().map_err(AssembleError::Signals)?;
        shutdown.spawn("hangups", ignore_hangups(hangups, shutdown.clone()));
    }
    let cloud = load_cloud(settings).await?;
    assemble(settings, rules, &cloud, Clock::system())
        .await?
        .run(settings, &shutdown, |_| {})
        .await
}

/// Without a certificate, there is nothing to reload. SIGHUP, which `systemctl reload` sends, would end
/// the process if it were not handled.
async fn ignore_hangups(mut hangups: Hangups, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.stopping() => return,
            () = hangups.next() => {}
        }
        log::info!("SIGHUP: nothing is reloaded, because BROKER_TLS_CERT is not set");
    }
}
