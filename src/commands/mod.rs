//! The command line: each command wires the parts together and runs them.

pub mod assemble;
mod audit;
mod check_config;
mod completions;
mod database;
#[cfg(feature = "dev")]
mod dev;
mod doctor;
mod events;
#[cfg(feature = "dev")]
mod greeting;
mod healthcheck;
mod janitor;
mod keys;
mod migrate;
mod openapi;
mod output;
mod run;
mod serve;
mod switches;
mod tenants;
mod when;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{client, config, lifecycle};

/// A control plane for direct-to-S3 uploads. Settings come from the environment; `check-config`
/// shows them.
#[derive(Debug, Parser)]
#[command(name = "upload-broker", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the broker
    Serve,
    /// Run the broker with a Postgres and an S3 server of its own: no configuration, no account
    #[cfg(feature = "dev")]
    Dev(dev::Arguments),
    /// Bring the database schema up to date
    Migrate,
    /// Print the OpenAPI document
    Openapi,
    /// Check the settings and print them, without secrets
    CheckConfig,
    /// Check everything that the broker stands on, and say what to do about what is wrong
    Doctor(doctor::Arguments),
    /// Finish what was left unfinished and compare the bucket with the database, once
    Janitor(janitor::Arguments),
    /// Ask a running broker whether it lives; for containers
    Healthcheck,
    /// Make, list and take back API keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Show who did what, oldest first: of every tenant, refused requests of nobody included
    Audit(audit::Arguments),
    /// Make, limit, show and disable tenants
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// Send notifications once more
    #[command(subcommand)]
    Events(events::Command),
    #[command(flatten)]
    Client(client::Command),
    /// Print the completions of a shell
    Completions(completions::Arguments),
}

/// Reads the command line and runs what it says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    lifecycle::run(async {
        match cli.command {
            Command::Serve => serve::run().await,
            #[cfg(feature = "dev")]
            Command::Dev(arguments) => dev::run(arguments).await,
            Command::Migrate => migrate::run().await,
            Command::Openapi => openapi::run(),
            Command::CheckConfig => check_config::run(),
            Command::Doctor(arguments) => doctor::run(arguments).await,
            Command::Janitor(arguments) => janitor::run(arguments).await,
            Command::Healthcheck => healthcheck::run().await,
            Command::Keys(command) => keys::run(command).await,
            Command::Audit(arguments) => audit::run(arguments).await,
            Command::Tenants(command) => tenants::run(command).await,
            Command::Events(command) => events::run(command).await,
            Command::Client(command) => client::run(command, config::env).await,
            Command::Completions(arguments) => completions::run(arguments),
        }
    })
}
