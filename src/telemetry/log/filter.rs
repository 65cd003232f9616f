//! Which records are logged.
//!
//! Libraries narrate every call at `info` or below, and some print headers and canonical requests
//! at `trace`: those hold credentials. So a level for everything is a level for everything of
//! ours; a library goes past `warn` only where the filter names it, and then what it says is
//! scrubbed (see `scrub`).

use log::LevelFilter;

/// Our own records.
pub(super) const OURS: &str = "upload_broker";

/// `filter` (in the syntax of env_logger) with its level for everything split in two: for us as it
/// stands, for libraries at most `warn`.
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
    all.extend(level.map(|level| format!("{OURS}={level}")));
    all.extend(named.into_iter().map(str::to_owned));
    all.join(",") + &pattern
}
