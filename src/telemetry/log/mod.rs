//! The log: one line per record, as text or as JSON, with the ids of the request and
//! of the trace that it belongs to.
//!
//! A message may contain input from clients (a path, a header). Control characters are escaped, so
//! that such input cannot forge a line. A line that cannot be written is lost.

mod filter;
mod line;
mod request;
pub(super) mod scrub;
#[cfg(test)]
mod tests;

use std::io::Write as _;

use chrono::{DateTime, Utc};
use env_logger::Target;
use env_logger::fmt::style::Style;

use super::trace::trace_id;

pub use line::Format;
pub use request::{request_id, with_request_id};
pub use scrub::mask_tokens;

/// Starts the log on stderr. `filter` is in the syntax of env_logger, such as `info` or
/// `upload_broker=debug,info`. Libraries, some of which log headers, stay at `warn` unless the
/// filter names them. From then on, panics are logged too.
///
/// # Errors
/// If a logger was started before.
pub fn init(format: Format, filter: &str) -> Result<(), ::log::SetLoggerError> {
    builder(format, filter).try_init()?;
    std::panic::set_hook(Box::new(|panic| ::log::error!("{panic}")));
    Ok(())
}

/// Starts the log for a function in this process instead. It is called with each line, without its
/// line break, on the thread that logs. Panics are reported as before.
///
/// # Errors
/// If a logger was started before.
pub fn listen(
    format: Format,
    filter: &str,
    on_line: impl Fn(&str) + Send + Sync + 'static,
) -> Result<(), ::log::SetLoggerError> {
    env_logger::Builder::new()
        .parse_filters(&filter::directives(filter))
        .format(move |_, record| {
            let line = line::Line::of(record, now(), request_id(), trace_id());
            match format {
                Format::Json => on_line(&line.json()),
                Format::Text => on_line(&line.text(Style::new())),
            }
            Ok(())
        })
        // The format function above writes nothing to the target.
        .target(Target::Pipe(Box::new(std::io::sink())))
        .try_init()
}

fn builder(format: Format, filter: &str) -> env_logger::Builder {
    let mut builder = env_logger::Builder::new();
    builder
        .parse_filters(&filter::directives(filter))
        .format(move |out, record| {
            let line = line::Line::of(record, now(), request_id(), trace_id());
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
    reason = "log lines have the time of the machine, also in tests"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
