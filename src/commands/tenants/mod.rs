//! `tenants create|set|show|list|disable|enable`: manages tenants.

mod limits;
mod text;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::database;
use super::output::{print_stderr, report_failure};
use crate::clock::Clock;
use crate::domain::event::timestamp;
use crate::domain::tenant::Tenant;
use crate::store::Connection;
use crate::usecases;
use crate::usecases::tenants::{self, Place};
use limits::Limits;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a tenant with its own prefix or bucket
    Create {
        /// Name: 1 to 63 characters of a-z, 0-9, _ and -
        name: String,
        /// Bucket of the tenant; default: BROKER_S3_BUCKET. It cannot be changed later
        #[arg(long)]
        bucket: Option<String>,
        /// Key prefix of the tenant, such as teams/acme/; default: NAME/. It cannot be changed
        /// later
        #[arg(long)]
        prefix: Option<String>,
        #[command(flatten)]
        limits: Limits,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change the limits of a tenant; `none` removes a limit
    ///
    /// Running brokers apply the change within seconds. If the tenant has quotas then, its usage is
    /// counted again, and its creates wait until that is done.
    Set {
        /// Name of the tenant
        name: String,
        #[command(flatten)]
        limits: Limits,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the limits and the usage of a tenant
    Show {
        /// Name of the tenant
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the tenants
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Reject all credentials of a tenant within seconds
    ///
    /// URLs that were already issued remain valid until they expire, and objects that are uploaded
    /// with them are proven and kept. Nothing is deleted.
    Disable {
        /// Name of the tenant
        name: String,
    },
    /// Accept the credentials of a tenant again
    Enable {
        /// Name of the tenant
        name: String,
    },
}

pub(super) async fn run(command: Command) -> ExitCode {
    let mut connection = match database::connect().await {
        Ok(connection) => connection,
        Err(code) => return code,
    };
    let done = act(&mut connection, command).await;
    done.map_or_else(
        |error| report_failure("The tenants were not changed", &error),
        |()| ExitCode::SUCCESS,
    )
}

async fn act(connection: &mut Connection, command: Command) -> usecases::Result<()> {
    let clock = Clock::system();
    match command {
        Command::Create {
            name,
            bucket,
            prefix,
            limits,
            json,
        } => {
            let place = Place { bucket, prefix };
            let tenant = tenants::create(connection, &clock, &name, place, limits.into()).await?;
            print_tenant(connection, &tenant, json).await?;
        }
        Command::Set { name, limits, json } => {
            let tenant = tenants::set(connection, &clock, &name, limits.into()).await?;
            print_tenant(connection, &tenant, json).await?;
        }
        Command::Show { name, json } => {
            let (tenant, usage) = tenants::show(connection, &name).await?;
            text::show(&tenant, usage, json);
        }
        Command::List { json } => list(&tenants::list(connection).await?, json),
        Command::Disable { name } => {
            let tenant = tenants::disable(connection, &clock, &name).await?;
            let since = tenant.disabled_at.map(timestamp).unwrap_or_default();
            print_stderr(&format!("Tenant {name} has been disabled since {since}."));
        }
        Command::Enable { name } => {
            tenants::enable(connection, &clock, &name).await?;
            print_stderr(&format!("Tenant {name} is enabled."));
        }
    }
    Ok(())
}

/// Prints a tenant after a change.
async fn print_tenant(
    connection: &mut Connection,
    tenant: &Tenant,
    json: bool,
) -> usecases::Result<()> {
    let (tenant, usage) = tenants::show(connection, &tenant.name).await?;
    text::show(&tenant, usage, json);
    Ok(())
}

fn list(all: &[Tenant], json: bool) {
    if json {
        let lines: Vec<_> = all.iter().map(text::as_json).collect();
        println!("{}", json!(lines));
        return;
    }
    for tenant in all {
        println!("{}", text::line(tenant));
    }
}
