//! `completions`: prints shell completions.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::output::report_failure;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  upload-broker completions bash > ~/.local/share/bash-completion/completions/upload-broker
  upload-broker completions zsh > ~/.zfunc/_upload-broker
  upload-broker completions fish > ~/.config/fish/completions/upload-broker.fish")]
pub(super) struct Arguments {
    /// Shell to print the completions for
    shell: Shell,
}

/// Prints the completions of `command`, which is the whole command line.
pub(super) fn run(arguments: Arguments, mut command: Command) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "upload-broker", &mut script);
    if arguments.shell == Shell::Bash {
        script = fix_bash_script(&script);
    }
    match io::stdout().write_all(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_failure("Cannot write the completions", &error),
    }
}

/// For a binary with a hyphen in its name, clap_complete spells the states of its bash script in
/// two ways, so that nothing is completed after a subcommand. This replaces one spelling by the
/// other.
fn fix_bash_script(script: &[u8]) -> Vec<u8> {
    let script = String::from_utf8_lossy(script);
    let script = script.replace("upload__subcmd__broker", "upload__broker");
    script.into_bytes()
}
