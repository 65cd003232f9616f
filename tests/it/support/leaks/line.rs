//! Parses a log line, in either format.

use log::{Level, LevelFilter};

/// The prefix of the broker's own log targets.
const OWN_TARGET: &str = "upload_broker";

/// Returns the library that logged the line; `None` if it is not a log line.
pub fn library(line: &str) -> Option<&str> {
    let (_, target) = level_and_target(line)?;
    Some(target.split("::").next().unwrap_or(target))
}

/// Returns whether the line would be logged with `RUST_LOG=info`, where libraries log from level `warn`. A line
/// that is not a log line always counts as visible.
pub fn is_visible_at_info(line: &str) -> bool {
    let Some((level, target)) = level_and_target(line) else {
        return true;
    };
    let least = if target.starts_with(OWN_TARGET) {
        LevelFilter::Info
    } else {
        LevelFilter::Warn
    };
    level <= least
}

fn level_and_target(line: &str) -> Option<(Level, &str)> {
    if line.starts_with('{') {
        // Quotes inside a string are escaped with a backslash.
        let member = |name: &str| {
            let (_, rest) = line.split_once(name)?;
            rest.split('"').next()
        };
        let level = member("\"level\":\"")?.parse().ok()?;
        return Some((level, member("\"target\":\"")?));
    }
    let mut words = line.split_ascii_whitespace();
    let is_time = words.next()?.ends_with('Z');
    let level = words.next()?.parse().ok().filter(|_| is_time)?;
    Some((level, words.next()?.trim_end_matches(':')))
}
