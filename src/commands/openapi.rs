//! `openapi`: prints the OpenAPI document, which is generated from the code.

use std::process::ExitCode;

use crate::http::openapi;

pub(super) fn run() -> ExitCode {
    print!("{}", openapi::yaml());
    ExitCode::SUCCESS
}
