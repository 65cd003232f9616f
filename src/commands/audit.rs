//! `audit`: prints the audit records, oldest first, one per line and page by page.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::database;
use super::output::report_failure;
use super::when::{TimeArgument, parse_time};
use crate::clock::Clock;
use crate::domain::audit::{Action, Record};
use crate::domain::event::timestamp;
use crate::store::Connection;
use crate::usecases;
use crate::usecases::audit::list::{Filter, next};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Start time, such as 2026-11-21T08:00:00Z, or an age: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_value = "24h")]
    since: TimeArgument,
    /// End time, in the same forms; default: now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<TimeArgument>,
    /// Only records of this tenant; default: all records, including those without a tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Only these actions, comma-separated, such as upload.deleted
    #[arg(long = "action", value_name = "ACTION", value_delimiter = ',')]
    actions: Vec<Action>,
    /// Only paths with this prefix
    #[arg(long, value_name = "PATH")]
    prefix: Option<String>,
    /// Print JSON, one object per line
    #[arg(long)]
    json: bool,
}

/// Why not all records were printed.
#[derive(Debug, thiserror::Error)]
enum AuditError {
    #[error(transparent)]
    Read(#[from] usecases::Error),
    #[error("the records cannot be written")]
    Output(#[from] io::Error),
}

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let mut connection = match database::connect().await {
        Ok(connection) => connection,
        Err(code) => return code,
    };
    match print_all(&mut connection, &arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the pipe has closed it, and needs no more records.
        Err(AuditError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => report_failure("The audit could not be printed completely", &error),
    }
}

async fn print_all(connection: &mut Connection, arguments: &Arguments) -> Result<(), AuditError> {
    let now = Clock::system().now();
    let filter = Filter {
        actions: arguments.actions.clone(),
        prefix: arguments.prefix.clone(),
        since: Some(arguments.since.at(now)),
        until: arguments.until.map(|until| until.at(now)),
    };
    let mut after = None;
    loop {
        let (rows, is_last) = next(connection, arguments.tenant.as_deref(), &filter, after).await?;
        after = rows.last().map(|row| row.id);
        print(&rows, arguments.json)?;
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

/// Text for humans; missing values are omitted.
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
            // A path may contain any characters except control characters.
            line.push_str(&format!("  {name}={}", value.escape_debug()));
        }
    }
    line
}

/// The same JSON as `GET /audit`.
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
