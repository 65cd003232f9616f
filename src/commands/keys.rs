//! `keys create|list|revoke`: manages API keys.

use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::database;
use super::output::{
    expose, or_dash, print_secret, print_stderr, print_with_secret, report_failure,
};
use crate::clock::Clock;
use crate::domain::event::timestamp;
use crate::domain::principal::Scope;
use crate::store::{Connection, api_keys::ApiKey};
use crate::usecases;
use crate::usecases::identity::keys::{self, IssuedKey};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Issue an API key, and create its tenant if it does not exist. The key is printed once
    Create {
        /// Tenant of the key
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Scopes, comma-separated: uploads:write, uploads:read, datasets:read, datasets:delete,
        /// processing:write, admin
        #[arg(long, value_delimiter = ',', required = true, value_parser = scope)]
        scopes: Vec<Scope>,
        /// Lifetime in seconds; default: the key does not expire
        #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
        expires_in: Option<u32>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keys, without their secrets
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key; it is rejected within seconds
    Revoke {
        /// Id of the key, as `keys list` prints it
        id: Uuid,
    },
}

fn scope(name: &str) -> Result<Scope, String> {
    name.parse().map_err(|_| {
        let known = Scope::ALL.map(Scope::as_str).join(", ");
        format!("expected one of {known}")
    })
}

pub(super) async fn run(command: Command) -> ExitCode {
    let mut connection = match database::connect().await {
        Ok(connection) => connection,
        Err(code) => return code,
    };
    let clock = Clock::system();
    let result = match command {
        Command::Create {
            tenant,
            scopes,
            expires_in,
            json,
        } => {
            let expires_at =
                expires_in.map(|seconds| clock.now() + TimeDelta::seconds(seconds.into()));
            create(&mut connection, &clock, &tenant, &scopes, expires_at, json).await
        }
        Command::List { json } => list(&mut connection, json).await,
        Command::Revoke { id } => revoke(&mut connection, &clock, id).await,
    };
    result.unwrap_or_else(|error| report_failure("The keys were not changed", &error))
}

async fn create(
    connection: &mut Connection,
    clock: &Clock,
    tenant: &str,
    scopes: &[Scope],
    expires_at: Option<DateTime<Utc>>,
    json: bool,
) -> usecases::Result<ExitCode> {
    let issued = keys::issue(connection, clock, tenant, scopes, expires_at).await?;
    let printed = match json {
        true => print_with_secret(&PrintedKey::of(&issued)),
        false => print_secret(&issued.key),
    };
    if let Err(error) = printed {
        let id = issued.id;
        let what =
            format!("Key {id} was issued but not printed; revoke it with `keys revoke {id}`");
        return Ok(report_failure(&what, &error));
    }
    if !json {
        print_stderr(&format!(
            "Key {} of tenant {}. It is not shown again; revoke it with `keys revoke {}`.",
            issued.id, issued.tenant, issued.id
        ));
    }
    if let Some(at) = issued.disabled_at {
        let (name, at) = (&issued.tenant, timestamp(at));
        print_stderr(&format!(
            "Tenant {name} has been disabled since {at}: the key is rejected until `tenants enable {name}`."
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A new key in the form that is printed once.
#[derive(Serialize)]
struct PrintedKey<'a> {
    created_at: String,
    expires_at: Option<String>,
    id: Uuid,
    #[serde(serialize_with = "expose")]
    key: &'a SecretString,
    scopes: Vec<&'static str>,
    tenant: &'a str,
}

impl<'a> PrintedKey<'a> {
    fn of(issued: &'a IssuedKey) -> Self {
        Self {
            created_at: timestamp(issued.created_at),
            expires_at: issued.expires_at.map(timestamp),
            id: issued.id,
            key: &issued.key,
            scopes: issued.scopes.iter().map(|scope| scope.as_str()).collect(),
            tenant: &issued.tenant,
        }
    }
}

async fn list(connection: &mut Connection, json: bool) -> usecases::Result<ExitCode> {
    let all = keys::list(connection).await?;
    if json {
        let lines: Vec<_> = all.iter().map(as_json).collect();
        println!("{}", json!(lines));
        return Ok(ExitCode::SUCCESS);
    }
    for key in all {
        let scopes: Vec<_> = key.scopes.iter().flatten().map(String::as_str).collect();
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {}", timestamp(at)),
            (None, Some(at)) => format!("expires {}", timestamp(at)),
            (None, None) => "live".to_owned(),
        };
        let used = or_dash(key.last_used_at.map(timestamp));
        println!(
            "{}  {}  {}  last used {used}  {state}",
            key.id,
            key.tenant,
            scopes.join(",")
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(key: &ApiKey) -> serde_json::Value {
    json!({
        "id": key.id,
        "tenant": key.tenant,
        "scopes": key.scopes.iter().flatten().collect::<Vec<_>>(),
        "created_at": timestamp(key.created_at),
        "expires_at": key.expires_at.map(timestamp),
        "last_used_at": key.last_used_at.map(timestamp),
        "revoked_at": key.revoked_at.map(timestamp),
    })
}

async fn revoke(
    connection: &mut Connection,
    clock: &Clock,
    id: Uuid,
) -> usecases::Result<ExitCode> {
    if keys::revoke(connection, clock, id).await? {
        print_stderr(&format!("Key {id} is revoked."));
        return Ok(ExitCode::SUCCESS);
    }
    print_stderr(&format!("There is no active key {id}."));
    Ok(ExitCode::FAILURE)
}
