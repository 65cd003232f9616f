//! `migrate`: the schema, up to date.

use std::process::ExitCode;

use super::output::{bad_config, fail};
use crate::config::{self, Database, Section as _};
use crate::store::migrations;
use crate::store::pool::{SessionError, ensure_dedicated_sessions};

pub(super) async fn run() -> ExitCode {
    let database = match Database::load(config::env) {
        Ok(database) => database,
        Err(faults) => return bad_config(&faults),
    };
    // The lock that lets one migrate at a time is a session's.
    if let Err(lent @ SessionError::Shared) = ensure_dedicated_sessions(database.url.expose()).await
    {
        return fail("The schema cannot be migrated through this pooler", &lent);
    }
    match migrations::run(database.url.expose()).await {
        Ok(applied) if applied.is_empty() => println!("The schema is up to date."),
        Ok(applied) => {
            for migration in applied {
                println!("Applied {migration}.");
            }
        }
        Err(error) => return fail("The schema is not up to date", &error),
    }
    ExitCode::SUCCESS
}
