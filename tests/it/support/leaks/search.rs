//! Searches a line for secrets: by every pattern, and by the values that the tests use.

use std::sync::{Arc, OnceLock, RwLock};

use regex::bytes::RegexSet;

use super::patterns::PATTERNS;
use crate::{auth, serve, support};

/// The secrets in the source of the tests. [`register_secret`] adds those of a run.
const VALUES: [(&str, &str); 4] = [
    ("the cloud's secret key", support::cloud::SECRET_ACCESS_KEY),
    ("a store's secret key", serve::logs::SECRET),
    ("a session token", serve::log_scan::TOKEN),
    ("the issuer's secret", auth::issuer::SECRET),
];

/// The shortest secret. Shorter text may occur in any line.
const MIN_LENGTH: usize = 8;

/// Placeholders in messages that look like secrets.
const PLACEHOLDERS: [&str; 1] = ["postgres://user:password@host"];

/// All patterns, which are searched at the same time.
struct Search {
    set: RegexSet,
    /// The kind of secret that each pattern finds, and the pattern.
    kinds: Vec<(String, String)>,
}

impl Search {
    fn of(kinds: Vec<(String, String)>) -> Search {
        let patterns = kinds.iter().map(|(_, pattern)| pattern);
        let set = RegexSet::new(patterns).expect("patterns");
        Search { set, kinds }
    }
}

fn search() -> &'static RwLock<Arc<Search>> {
    static SEARCH: OnceLock<RwLock<Arc<Search>>> = OnceLock::new();
    SEARCH.get_or_init(|| {
        let shapes = PATTERNS
            .iter()
            .map(|shape| (shape.what.to_owned(), shape.source()));
        let values = VALUES.map(|(what, value)| (what.to_owned(), regex::escape(value)));
        RwLock::new(Arc::new(Search::of(shapes.chain(values).collect())))
    })
}

/// Registers a secret that no line may contain from now on. It must not be too short.
pub fn register_secret(what: &str, value: &str) {
    assert!(
        value.len() >= MIN_LENGTH,
        "{what} is too short to be distinguished from other text"
    );
    let pattern = regex::escape(value);
    let mut search = search().write().expect("the search");
    if search.kinds.iter().all(|(_, known)| *known != pattern) {
        let mut kinds = search.kinds.clone();
        kinds.push((what.to_owned(), pattern));
        *search = Arc::new(Search::of(kinds));
    }
}

/// Registers the value of a setting, if the setting is secret.
pub fn register_setting(name: &str, value: &str) {
    let is_secret =
        name.ends_with("_SECRET") || ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].contains(&name);
    if is_secret && value.len() >= MIN_LENGTH {
        register_secret(name, value);
    }
}

/// Returns the kinds of the secrets in a line; `None` if there are none.
pub fn find(line: &str) -> Option<String> {
    let search = Arc::clone(&search().read().expect("the search"));
    if !search.set.is_match(line.as_bytes()) {
        return None;
    }
    let line = (PLACEHOLDERS.iter()).fold(line.to_owned(), |line, text| line.replace(text, ""));
    let found = search.set.matches(line.as_bytes());
    let kinds: Vec<_> = (found.iter())
        .map(|index| &*search.kinds[index].0)
        .collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}
