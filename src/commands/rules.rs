//! `rules check`: validates a file of processing rules, and shows the jobs of an example upload.
//!
//! The exit code is 0 if the rules are valid, 78 if they are not, and 2 for wrong arguments.

mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::{print_stderr, report_invalid};
use super::processing_rules::{self, InvalidRules};
use crate::config::{self, Processors, Section as _};
use crate::domain::jail::DEFAULT_TENANT;
use crate::domain::path::DatasetPath;
use crate::domain::rules::{ProcessingRules, UploadFacts};
use crate::usecases::uploads::create::default_content_type;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Validate a file of processing rules, and show which jobs an upload would get
    Check(CheckArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  upload-broker rules check
  upload-broker rules check rules.toml --path /in/a.csv --metadata kind=plays

Exit codes:
  0   the rules are valid
  2   the arguments are wrong
  78  the rules are invalid")]
pub(super) struct CheckArguments {
    /// File of the rules; default: BROKER_PROCESSORS_FILE
    file: Option<PathBuf>,
    /// Path of an example upload, for which the jobs are shown
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    path: Option<DatasetPath>,
    /// Content type of the example; default: by the extension of its path
    #[arg(long, value_name = "TYPE", requires = "path")]
    content_type: Option<String>,
    /// Tenant of the example; default: default
    #[arg(long, value_name = "NAME", requires = "path")]
    tenant: Option<String>,
    /// Metadata of the example; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair, requires = "path")]
    metadata: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An upload for which the rules are tried.
struct Example {
    tenant: String,
    path: DatasetPath,
    content_type: String,
    metadata: BTreeMap<String, String>,
}

pub(super) fn run(command: Command) -> ExitCode {
    let Command::Check(arguments) = command;
    let (json, file) = (arguments.json, arguments.file.clone());
    match rules(file) {
        Ok(rules) => {
            text::print(&rules, arguments.example().as_ref(), json);
            ExitCode::SUCCESS
        }
        Err(invalid) => {
            if json {
                text::print_faults(&invalid);
            }
            report_invalid("The rules are invalid:", invalid.messages())
        }
    }
}

/// The rules of `file`, or those of the settings.
fn rules(file: Option<PathBuf>) -> Result<ProcessingRules, InvalidRules> {
    if let Some(file) = file {
        return processing_rules::read(&file.to_string_lossy(), &file);
    }
    // The value of this setting has no faults: any text may be the name of a file.
    let settings = Processors::load(config::env).unwrap_or(Processors { file: None });
    if settings.file.is_none() {
        print_stderr("BROKER_PROCESSORS_FILE is not set, so `serve` has no rules.");
    }
    processing_rules::load(&settings)
}

impl CheckArguments {
    fn example(self) -> Option<Example> {
        let path = self.path?;
        Some(Example {
            tenant: self.tenant.unwrap_or_else(|| DEFAULT_TENANT.to_owned()),
            content_type: (self.content_type).unwrap_or_else(|| default_content_type(&path)),
            path,
            metadata: self.metadata.into_iter().collect(),
        })
    }
}

impl Example {
    fn facts(&self) -> UploadFacts<'_> {
        UploadFacts {
            tenant: &self.tenant,
            path: self.path.as_str(),
            content_type: &self.content_type,
            metadata: &self.metadata,
        }
    }
}

fn parse_path(text: &str) -> Result<DatasetPath, String> {
    DatasetPath::parse(text).map_err(|invalid| format!("the path {invalid}"))
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as team=hr".to_owned()),
    }
}
