//! The command-line client: `put`, `get`, `ls`, `rm`, `cp`, `mv`, `sync`, `status`.
//!
//! It speaks the HTTP contract, like any stranger's client, and names none of the server's folders.
//! Bytes go between this machine and the store by pre-signed URLs; the key goes to the broker and
//! nowhere else.
//!
//! ```text
//!   put, get, ls, rm, cp, sync, status       one command each; sync puts, gets and removes
//!        ├─▶ api        typed calls of the broker, repeated where that is safe
//!        ├─▶ s3         the store, by pre-signed URL, without the key
//!        ├─▶ checksum   what S3 computes, computed here; compare: a file with a dataset
//!        ├─▶ walk       the files below a folder, in the order of their keys
//!        └─▶ output     results on standard output, the rest on standard error
//!   settings, error, exit                    read once; how it ends
//! ```

pub mod api;
pub mod arguments;
pub mod checksum;
pub mod compare;
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
use error::{Error, Result};
use output::Output;
use settings::Settings;

/// The commands of the client.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Upload files, folders or standard input
    Put(put::Arguments),
    /// Download a dataset, and check that what came is what was promised
    Get(get::Arguments),
    /// List datasets
    Ls(ls::Arguments),
    /// Delete datasets
    Rm(rm::Arguments),
    /// Copy a dataset, in the store
    Cp(copy::Arguments),
    /// Move a dataset, in the store
    Mv(copy::Arguments),
    /// Make a folder here and one of the broker alike, in one direction
    Sync(sync::Arguments),
    /// Show where an upload stands
    Status(status::Arguments),
}

/// What every command works with.
struct Context {
    api: Api,
    output: Output,
}

/// Runs a command to its end, or until a signal. `lookup` reads one variable of the environment.
pub async fn run(command: Command, lookup: impl Fn(&str) -> Option<String>) -> ExitCode {
    let common = match &command {
        Command::Put(arguments) => &arguments.common,
        Command::Get(arguments) => &arguments.common,
        Command::Ls(arguments) => &arguments.common,
        Command::Rm(arguments) => &arguments.common,
        Command::Cp(arguments) | Command::Mv(arguments) => &arguments.common,
        Command::Sync(arguments) => &arguments.common,
        Command::Status(arguments) => &arguments.common,
    };
    let output = Output::new(common);
    let settings = match Settings::load(common, &lookup, &output) {
        Ok(settings) => settings,
        Err(error) => return output.end(&error),
    };
    let api = match Api::new(&settings) {
        Ok(api) => api,
        Err(error) => return output.end(&error),
    };
    let context = Context { api, output };
    // What was begun is kept where the next run finds it: an interrupted command just stops.
    let result = tokio::select! {
        result = dispatch(&context, command) => result,
        error = interrupted() => Err(error),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => context.output.end(&error),
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
        Command::Status(arguments) => status::run(context, arguments).await,
    }
}

/// Comes back at Ctrl-C or SIGTERM.
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
