//! Which records are logged.
//!
//! Libraries log every call at `info` or below, and some log headers and canonical requests at
//! `trace`, which contain credentials. So the default level of the filter applies to the broker
//! only. A library logs more than `warn` only if the filter names it, and then credentials are
//! masked in its records (see `scrub`).

use log::LevelFilter;

/// The target of the records of the broker.
pub(super) const OWN_TARGET: &str = "upload_broker";

/// Replaces the default level in `filter` (in the syntax of env_logger) by two levels: unchanged
/// for the broker, and at most `warn` for libraries.
pub(super) fn directives(filter: &str) -> String {
    let (list, pattern) = match filter.split_once('/') {
        Some((list, pattern)) => (list, format!("/{pattern}")),
        None => (filter, String::new()),
    };
    let directives = list.split(',').map(str::trim);
    let (levels, named): (Vec<_>, Vec<_>) = directives
        .filter(|directive| !directive.is_empty())
        .partition(|directive| directive.parse::<LevelFilter>().is_ok());
    // The later of two directives for one target wins, as in env_logger.
    let level = levels.last().and_then(|level| level.parse().ok());
    let mut all = vec![
        level
            .unwrap_or(LevelFilter::Warn)
            .min(LevelFilter::Warn)
            .to_string(),
    ];
    all.extend(level.map(|level| format!("{OWN_TARGET}={level}")));
    all.extend(named.into_iter().map(str::to_owned));
    all.join(",") + &pattern
}
