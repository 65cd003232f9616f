//! The arguments of the command line.

use clap::{Parser, Subcommand};

#[cfg(feature = "dev")]
use super::dev;
use super::{
    audit, completions, doctor, events, janitor, keys, man, process, process_program, rules,
    tenants, webhooks,
};
use crate::client;

/// A control plane for direct-to-S3 uploads. Settings are read from the environment; `check-config`
/// prints them.
#[derive(Debug, Parser)]
#[command(name = "upload-broker", version, max_term_width = 100)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the broker
    Serve,
    /// Run the jobs of datasets that have arrived, beside one or more `serve`
    Worker,
    /// Run the broker with an embedded Postgres and S3 server, without any configuration
    #[cfg(feature = "dev")]
    Dev(dev::Arguments),
    /// Bring the database schema up to date
    Migrate,
    /// Print the OpenAPI document
    Openapi,
    /// Validate the settings and print them without secrets
    CheckConfig,
    /// Check everything that the broker depends on, and say how to fix what is wrong
    Doctor(doctor::Arguments),
    /// Run one round of the background work, and compare the bucket with the database
    Janitor(janitor::Arguments),
    /// Check whether a running broker is alive; for containers
    Healthcheck,
    /// Issue, list and revoke API keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Print the audit records of all tenants, oldest first, including rejected requests
    Audit(audit::Arguments),
    /// Create, limit, show and disable tenants
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// Publish events again
    #[command(subcommand)]
    Events(events::Command),
    /// Send events to HTTP endpoints of tenants
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Check the rules that say which uploads are processed
    #[command(subcommand)]
    Rules(rules::Command),
    #[command(flatten)]
    Client(client::Command),
    /// Print shell completions
    Completions(completions::Arguments),
    /// Write a man page for each command
    Man(man::Arguments),
    /// Run a processor from standard input to standard output, with limits
    #[command(hide = true)]
    Process(process::Arguments),
    /// Become a program that a processor starts, with limits
    #[command(hide = true)]
    ProcessProgram(process_program::Arguments),
}
