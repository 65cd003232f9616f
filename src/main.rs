//! The `upload-broker` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    upload_broker::commands::run()
}
