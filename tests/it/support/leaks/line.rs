//! What a line of the log says of itself, in either form.

use log::{Level, LevelFilter};

/// A line of ours begins so.
const OURS: &str = "upload_broker";

/// The library that says it; none where it is no line of a log.
pub fn speaker(line: &str) -> Option<&str> {
    let (_, target) = level_and_target(line)?;
    Some(target.split("::").next().unwrap_or(target))
}

/// Whether it is told with `RUST_LOG=info`, where libraries begin at `warn`. What is no line of a
/// log always is.
pub fn is_visible_at_info(line: &str) -> bool {
    let Some((level, target)) = level_and_target(line) else {
        return true;
    };
    let least = if target.starts_with(OURS) {
        LevelFilter::Info
    } else {
        LevelFilter::Warn
    };
    level <= least
}

fn level_and_target(line: &str) -> Option<(Level, &str)> {
    if line.starts_with('{') {
        // What stands in a text has a backslash before its quotes.
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
