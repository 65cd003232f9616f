//! The command line. Each command builds the components that it needs, and runs them.

mod after_schema;
pub mod assemble;
mod assemble_error;
mod audit;
mod aws;
mod build_worker;
mod check_config;
mod cli;
mod cloud;
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
mod man;
mod migrate;
mod observers;
mod openapi;
mod output;
mod process;
mod process_program;
pub mod processing_rules;
mod programs;
mod rules;
mod run;
mod serve;
mod settings;
mod store_abilities;
mod tenants;
mod webhooks;
mod when;
mod worker;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::{client, config, lifecycle};
use cli::{Cli, Command};

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let command = match cli.command {
        // They must limit themselves before they start a thread.
        Command::Process(arguments) => return process::run(arguments),
        Command::ProcessProgram(arguments) => return process_program::run(arguments),
        command => command,
    };
    lifecycle::run(async {
        match command {
            Command::Serve => serve::run().await,
            Command::Worker => worker::run().await,
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
            Command::Webhooks(command) => webhooks::run(command).await,
            Command::Rules(command) => rules::run(command),
            Command::Client(command) => client::run(command, config::env).await,
            Command::Completions(arguments) => completions::run(arguments, Cli::command()),
            Command::Man(arguments) => man::run(arguments, Cli::command()),
            // Unreachable: see above.
            Command::Process(arguments) => process::run(arguments),
            Command::ProcessProgram(arguments) => process_program::run(arguments),
        }
    })
}
