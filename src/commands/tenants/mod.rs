//! `tenants create|set|show|list|disable|enable`.

mod limits;
mod words;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::database;
use super::output::{complain, fail};
use crate::clock::Clock;
use crate::domain::event::timestamp;
use crate::domain::tenant::Tenant;
use crate::store::Connection;
use crate::usecases;
use crate::usecases::tenants::{self, Place};
use limits::Limits;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a tenant with a part of the bucket of its own
    Create {
        /// 1 to 63 of a-z, 0-9, _ and -
        name: String,
        /// A bucket of its own; without one it lives in BROKER_S3_BUCKET. It cannot be changed
        #[arg(long)]
        bucket: Option<String>,
        /// Its part of the bucket, as teams/acme/; NAME/ by default. It cannot be changed
        #[arg(long)]
        prefix: Option<String>,
        #[command(flatten)]
        limits: Limits,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a tenant's limits: what is named changes, `none` takes a limit away
    ///
    /// Running brokers follow within seconds. Where the tenant has quotas then, all that it has is
    /// counted anew; its creates wait for that.
    Set {
        /// The tenant
        name: String,
        #[command(flatten)]
        limits: Limits,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a tenant's limits, and what it uses
    Show {
        /// The tenant
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
    /// Let nobody in with a tenant's credentials, within seconds
    ///
    /// URLs that were handed out live on until their end, and what comes by them is proven and
    /// kept. Nothing is deleted.
    Disable {
        /// The tenant
        name: String,
    },
    /// Let them in again
    Enable {
        /// The tenant
        name: String,
    },
}

pub(super) async fn run(command: Command) -> ExitCode {
    let mut connection = match database::connection().await {
        Ok(connection) => connection,
        Err(code) => return code,
    };
    let done = act(&mut connection, command).await;
    done.map_or_else(
        |error| fail("The tenants are as they were", &error),
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
            tell(connection, &tenant, json).await?;
        }
        Command::Set { name, limits, json } => {
            let tenant = tenants::set(connection, &clock, &name, limits.into()).await?;
            tell(connection, &tenant, json).await?;
        }
        Command::Show { name, json } => {
            let (tenant, usage) = tenants::show(connection, &name).await?;
            words::show(&tenant, usage, json);
        }
        Command::List { json } => list(&tenants::list(connection).await?, json),
        Command::Disable { name } => {
            let tenant = tenants::disable(connection, &clock, &name).await?;
            let since = tenant.disabled_at.map(timestamp).unwrap_or_default();
            complain(&format!("Tenant {name} is disabled since {since}."));
        }
        Command::Enable { name } => {
            tenants::enable(connection, &clock, &name).await?;
            complain(&format!("Tenant {name} is at work."));
        }
    }
    Ok(())
}

/// What a tenant has become.
async fn tell(connection: &mut Connection, tenant: &Tenant, json: bool) -> usecases::Result<()> {
    let (tenant, usage) = tenants::show(connection, &tenant.name).await?;
    words::show(&tenant, usage, json);
    Ok(())
}

fn list(all: &[Tenant], json: bool) {
    if json {
        let lines: Vec<_> = all.iter().map(words::as_json).collect();
        println!("{}", json!(lines));
        return;
    }
    for tenant in all {
        println!("{}", words::line(tenant));
    }
}
