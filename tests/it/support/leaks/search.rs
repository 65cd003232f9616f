//! The search of a line: by every shape, and by the values that the suite knows.

use std::sync::{Arc, OnceLock, RwLock};

use regex::bytes::RegexSet;

use super::patterns::PATTERNS;
use crate::{auth, serve, support};

/// The secrets that stand in the suite, by what they are. [`keep_secret`] adds those of a run.
const VALUES: [(&str, &str); 4] = [
    ("the cloud's secret key", support::cloud::SECRET_ACCESS_KEY),
    ("a store's secret key", serve::logs::SECRET),
    ("a session token", serve::log_scan::TOKEN),
    ("the issuer's secret", auth::issuer::SECRET),
];

/// Shorter words may stand in any line.
const SHORTEST: usize = 8;

/// What we advise, and is nobody's.
const ADVICE: [&str; 1] = ["postgres://user:password@host"];

/// What is looked for, all at once.
struct Search {
    set: RegexSet,
    /// What each pattern finds, and the pattern.
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

/// From now on no line may hold `value` either. It must not be short.
pub fn register_secret(what: &str, value: &str) {
    assert!(
        value.len() >= SHORTEST,
        "{what} is too short to be told apart"
    );
    let pattern = regex::escape(value);
    let mut search = search().write().expect("the search");
    if search.kinds.iter().all(|(_, known)| *known != pattern) {
        let mut kinds = search.kinds.clone();
        kinds.push((what.to_owned(), pattern));
        *search = Arc::new(Search::of(kinds));
    }
}

/// The same of a setting, where it is a secret one.
pub fn register_setting(name: &str, value: &str) {
    let is_secret =
        name.ends_with("_SECRET") || ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].contains(&name);
    if is_secret && value.len() >= SHORTEST {
        register_secret(name, value);
    }
}

/// What kinds of secret a line holds; none as a rule.
pub fn find(line: &str) -> Option<String> {
    let search = Arc::clone(&search().read().expect("the search"));
    if !search.set.is_match(line.as_bytes()) {
        return None;
    }
    let line = (ADVICE.iter()).fold(line.to_owned(), |line, advice| line.replace(advice, ""));
    let found = search.set.matches(line.as_bytes());
    let kinds: Vec<_> = (found.iter())
        .map(|index| &*search.kinds[index].0)
        .collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}
