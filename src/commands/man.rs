//! `man`: writes man pages.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::output::report_failure;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  upload-broker man ~/.local/share/man/man1
  man upload-broker-put")]
pub(super) struct Arguments {
    /// Folder to write the pages into; it is created if it is missing
    folder: PathBuf,
}

/// Writes a page for `command`, which is the whole command line, and for each of its subcommands.
pub(super) fn run(arguments: Arguments, command: Command) -> ExitCode {
    let written = fs::create_dir_all(&arguments.folder)
        .and_then(|()| write_pages(command, &arguments.folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let folder = arguments.folder.display();
            report_failure(&format!("Cannot write man pages into {folder}"), &error)
        }
    }
}

fn write_pages(command: Command, folder: &Path) -> io::Result<()> {
    let mut command = command.disable_help_subcommand(true);
    // Gives each subcommand its whole name and the version.
    command.build();
    write_page(command, folder)
}

fn write_page(command: Command, folder: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands() {
        if !subcommand.is_hide_set() {
            write_page(subcommand.clone(), folder)?;
        }
    }
    let after_help = command.get_after_help().map(ToString::to_string);
    let has_options = command
        .get_arguments()
        .any(|argument| !argument.is_hide_set());
    let has_subcommands = command.has_subcommands();
    // The page has no date, so that each build of a release writes the same bytes.
    let man = Man::new(command).manual("upload-broker");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    if has_options {
        man.render_options_section(&mut page)?;
    }
    if has_subcommands {
        man.render_subcommands_section(&mut page)?;
    }
    render_after_help(&after_help.unwrap_or_default()).to_writer(&mut page)?;
    fs::write(folder.join(man.get_filename()), page)
}

/// Makes a section of each paragraph of the help that begins with a heading, and keeps its line breaks.
fn render_after_help(text: &str) -> Roff {
    let mut roff = Roff::new();
    for paragraph in text.split("\n\n") {
        let (heading, lines) = paragraph.split_once(":\n").unwrap_or(("", paragraph));
        if !heading.is_empty() {
            roff.control("SH", [heading.to_uppercase().as_str()]);
        }
        roff.control("nf", []);
        for line in lines.lines() {
            roff.text([roman(line.trim_start())]);
        }
        roff.control("fi", []);
    }
    roff
}
