//! `audit`: who did what, oldest first. One line a row on standard output, page by page.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::database;
use super::output::fail;
use super::when::{When, when};
use crate::clock::Clock;
use crate::domain::audit::{Action, Record};
use crate::domain::event::timestamp;
use crate::store::Connection;
use crate::usecases;
use crate::usecases::audit::list::{Filter, next};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// From when on: a time such as 2026-11-21T08:00:00Z, or how long ago: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = when, default_value = "24h")]
    since: When,
    /// Up to when, in the same forms; now, by default
    #[arg(long, value_name = "TIME", value_parser = when)]
    until: Option<When>,
    /// Only of this tenant; of everybody, and of nobody, by default
    #[arg(long)]
    tenant: Option<String>,
    /// Only these, such as upload.deleted
    #[arg(long = "action", value_name = "ACTION", value_delimiter = ',')]
    actions: Vec<Action>,
    /// Only at paths that start like this
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
}

/// Why not all rows were shown.
#[derive(Debug, thiserror::Error)]
enum AuditError {
    #[error(transparent)]
    Read(#[from] usecases::Error),
    #[error("the rows cannot be written")]
    Output(#[from] io::Error),
}

pub(super) async fn run(asked: Arguments) -> ExitCode {
    let mut connection = match database::connection().await {
        Ok(connection) => connection,
        Err(code) => return code,
    };
    match show(&mut connection, &asked).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has seen enough.
        Err(AuditError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => fail("The audit was not shown to its end", &error),
    }
}

async fn show(connection: &mut Connection, asked: &Arguments) -> Result<(), AuditError> {
    let now = Clock::system().now();
    let filter = Filter {
        actions: asked.actions.clone(),
        prefix: asked.prefix.clone(),
        since: Some(asked.since.at(now)),
        until: asked.until.map(|until| until.at(now)),
    };
    let mut after = None;
    loop {
        let (rows, is_last) = next(connection, asked.tenant.as_deref(), &filter, after).await?;
        after = rows.last().map(|row| row.id);
        print(&rows, asked.json)?;
        if is_last {
            return Ok(());
        }
    }
}

fn print(rows: &[Record], as_json: bool) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for row in rows {
        if as_json {
            writeln!(output, "{}", json(row))?;
        } else {
            writeln!(output, "{}", line(row))?;
        }
    }
    output.flush()
}

/// For people: what is not there is left out.
fn line(row: &Record) -> String {
    let mut line = format!("{}  {}  {}", timestamp(row.at), row.action, row.actor);
    let named = [
        ("tenant", row.tenant.clone()),
        ("from", row.address.clone()),
        ("path", row.path.clone()),
        ("upload", row.upload_id.map(|id| id.to_string())),
        ("subject", row.subject.clone()),
        ("until", row.expires_at.map(timestamp)),
        ("operation", row.operation.clone()),
        ("code", row.code.clone()),
        ("count", (row.count > 1).then(|| row.count.to_string())),
        ("request", row.request_id.clone()),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            // A path may hold anything but control characters.
            line.push_str(&format!("  {name}={}", value.escape_debug()));
        }
    }
    line
}

/// As `GET /audit` shows it.
fn json(row: &Record) -> serde_json::Value {
    json!({
        "id": row.id,
        "time": timestamp(row.at),
        "action": row.action,
        "actor": row.actor,
        "tenant": row.tenant,
        "address": row.address,
        "request_id": row.request_id,
        "operation": row.operation,
        "upload_id": row.upload_id,
        "subject": row.subject,
        "path": row.path,
        "expires_at": row.expires_at.map(timestamp),
        "code": row.code,
        "count": row.count,
    })
}
