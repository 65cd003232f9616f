//! The command-line client: `put`, `get`, `ls`, `rm`, `cp`, `mv`, `sync`, `plan`, `status`.
//!
//! The client uses the HTTP API only, like any third-party client, and depends on none of the
//! server's folders. Bytes go directly between this machine and the store by pre-signed URLs; the
//! key is sent to the broker only.
//!
//! ```text
//!   put, get, ls, rm, cp, sync, plan, status one command each; sync uses put, get and rm
//!        ├─▶ api        typed calls of the broker, retried where that is safe
//!        ├─▶ s3         requests to the store by pre-signed URL, without the key
//!        ├─▶ checksum   the checksum algorithms of S3; compare: a file with a dataset
//!        ├─▶ walk       the files below a folder, in the order of their keys
//!        └─▶ output     results on standard output, messages on standard error
//!   settings, error, exit                    configuration, failures, exit codes
//! ```

pub mod api;
pub mod arguments;
pub mod checksum;
pub mod compare;
mod context;
mod copy;
pub mod error;
pub mod exit;
pub mod folder;
mod get;
pub mod glob;
mod hex;
mod lock;
mod ls;
pub mod output;
mod plan;
pub mod progress;
mod put;
pub mod retry;
mod rm;
pub mod s3;
pub mod settings;
pub mod size;
mod status;
mod sync;
pub mod walk;

use std::process::ExitCode;

use clap::Subcommand;
use tokio::signal::unix::{SignalKind, signal};

pub use exit::Exit;

use api::Api;
use context::Context;
use error::{Error, Result};
use output::Output;
use settings::Settings;

/// The commands of the client.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Upload files, folders or standard input
    Put(put::Arguments),
    /// Download a dataset and verify its checksum
    Get(get::Arguments),
    /// List datasets
    Ls(ls::Arguments),
    /// Delete datasets
    Rm(rm::Arguments),
    /// Copy a dataset inside the store
    Cp(copy::Arguments),
    /// Move a dataset inside the store
    Mv(copy::Arguments),
    /// Make a local folder and a folder of the broker identical, in one direction
    Sync(sync::Arguments),
    /// Write a processing plan for many datasets, whose results are merged
    Plan(plan::Arguments),
    /// Show the status of an upload
    Status(status::Arguments),
}

/// Runs a command until it ends or a signal arrives. `lookup` reads an environment variable.
pub async fn run(command: Command, lookup: impl Fn(&str) -> Option<String>) -> ExitCode {
    let common = match &command {
        Command::Put(arguments) => &arguments.common,
        Command::Get(arguments) => &arguments.common,
        Command::Ls(arguments) => &arguments.common,
        Command::Rm(arguments) => &arguments.common,
        Command::Cp(arguments) | Command::Mv(arguments) => &arguments.common,
        Command::Sync(arguments) => &arguments.common,
        Command::Plan(arguments) => &arguments.common,
        Command::Status(arguments) => &arguments.common,
    };
    let output = Output::new(common);
    let settings = match Settings::load(common, &lookup, &output) {
        Ok(settings) => settings,
        Err(error) => return output.exit_with(&error),
    };
    let api = match Api::new(&settings) {
        Ok(api) => api,
        Err(error) => return output.exit_with(&error),
    };
    let context = Context { api, output };
    // Partial work is kept where the next run finds it, so an interrupted command needs no
    // clean-up.
    let result = tokio::select! {
        result = dispatch(&context, command) => result,
        error = interrupted() => Err(error),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => context.output.exit_with(&error),
    }
}

async fn dispatch(context: &Context, command: Command) -> Result<Exit> {
    match command {
        Command::Put(arguments) => put::run(context, arguments).await,
        Command::Get(arguments) => get::run(context, arguments).await,
        Command::Ls(arguments) => ls::run(context, arguments).await,
        Command::Rm(arguments) => rm::run(context, arguments).await,
        Command::Cp(arguments) => copy::run(context, arguments, false).await,
        Command::Mv(arguments) => copy::run(context, arguments, true).await,
        Command::Sync(arguments) => sync::run(context, arguments).await,
        Command::Plan(arguments) => plan::run(context, arguments).await,
        Command::Status(arguments) => status::run(context, arguments).await,
    }
}

/// Returns at Ctrl-C or SIGTERM.
async fn interrupted() -> Error {
    let signals = signal(SignalKind::interrupt()).and_then(|interrupt| {
        let terminate = signal(SignalKind::terminate())?;
        Ok((interrupt, terminate))
    });
    match signals {
        Ok((mut interrupt, mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => (),
                _ = terminate.recv() => (),
            }
            Error::Interrupted
        }
        Err(source) => Error::local("cannot listen for signals", source),
    }
}
