//! `completions`: what a shell needs to complete our command lines.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Cli;
use super::output::fail;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  upload-broker completions bash > ~/.local/share/bash-completion/completions/upload-broker
  upload-broker completions zsh > ~/.zfunc/_upload-broker
  upload-broker completions fish > ~/.config/fish/completions/upload-broker.fish")]
pub(super) struct Arguments {
    /// The shell to write for
    shell: Shell,
}

pub(super) fn run(arguments: Arguments) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "upload-broker",
        &mut script,
    );
    if arguments.shell == Shell::Bash {
        script = mended(&script);
    }
    match io::stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail("cannot write the completions", &error),
    }
}

/// clap_complete names the states of its script in two ways where the name of a binary has a
/// hyphen, and then nothing after a subcommand is completed. Here they get one name.
fn mended(script: &[u8]) -> Vec<u8> {
    let script = String::from_utf8_lossy(script);
    let script = script.replace("upload__subcmd__broker", "upload__broker");
    script.into_bytes()
}
