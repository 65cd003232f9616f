//! `migrate`: brings the database schema up to date.

use std::process::ExitCode;

use super::output::{report_failure, report_invalid_settings};
use crate::config::{self, Database, Section as _};
use crate::store::migrations;
use crate::store::pool::{SessionError, ensure_dedicated_sessions};

pub(super) async fn run() -> ExitCode {
    let database = match Database::load(config::env) {
        Ok(database) => database,
        Err(faults) => return report_invalid_settings(&faults),
    };
    // The migration lock is held by a database session.
    if let Err(lent @ SessionError::Shared) = ensure_dedicated_sessions(database.url.expose()).await
    {
        return report_failure(
            "The database schema cannot be migrated through this pooler",
            &lent,
        );
    }
    match migrations::run(database.url.expose()).await {
        Ok(applied) if applied.is_empty() => println!("The database schema is up to date."),
        Ok(applied) => {
            for migration in applied {
                println!("Applied {migration}.");
            }
        }
        Err(error) => return report_failure("The database schema is not up to date", &error),
    }
    ExitCode::SUCCESS
}
