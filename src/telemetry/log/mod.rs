//! The log: one line a record, for people or as JSON, with the id of the request it belongs to.
//!
//! What comes from outside (a path, a header) may stand in a message: control characters are
//! escaped, so that it cannot forge a line. A line that cannot be written is lost.

mod filter;
mod line;
mod request;
mod scrub;
#[cfg(test)]
mod tests;

use std::io::Write as _;

use chrono::{DateTime, Utc};
use env_logger::Target;
use env_logger::fmt::style::Style;

pub use line::Format;
pub use request::{request_id, with_request_id};
pub use scrub::mask_tokens;

/// Starts the log on stderr. `filter` is in the syntax of env_logger, as `info` or
/// `upload_broker=debug,info`; libraries (some log headers) stay at `warn` unless it names them. From here on a panic is a line of the log too.
///
/// # Errors
/// When a logger was started before.
pub fn init(format: Format, filter: &str) -> Result<(), ::log::SetLoggerError> {
    builder(format, filter).try_init()?;
    std::panic::set_hook(Box::new(|panic| ::log::error!("{panic}")));
    Ok(())
}

/// Starts the same log for a listener in this process instead: it is given each line without its
/// end, on the thread that logs. A panic is told as it was before.
///
/// # Errors
/// When a logger was started before.
pub fn listen(
    format: Format,
    filter: &str,
    hear: impl Fn(&str) + Send + Sync + 'static,
) -> Result<(), ::log::SetLoggerError> {
    env_logger::Builder::new()
        .parse_filters(&filter::directives(filter))
        .format(move |_, record| {
            let line = line::Line::of(record, now(), request_id());
            match format {
                Format::Json => hear(&line.json()),
                Format::Text => hear(&line.text(Style::new())),
            }
            Ok(())
        })
        // Nothing is left for it.
        .target(Target::Pipe(Box::new(std::io::sink())))
        .try_init()
}

fn builder(format: Format, filter: &str) -> env_logger::Builder {
    let mut builder = env_logger::Builder::new();
    builder
        .parse_filters(&filter::directives(filter))
        .format(move |out, record| {
            let line = line::Line::of(record, now(), request_id());
            match format {
                Format::Json => writeln!(out, "{}", line.json()),
                Format::Text => {
                    let style = out.default_level_style(record.level());
                    writeln!(out, "{}", line.text(style))
                }
            }
        });
    builder
}

#[expect(
    clippy::disallowed_methods,
    reason = "a line tells the time of the machine, also in tests"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
