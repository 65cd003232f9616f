//! No log holds a secret, whatever the test: each line of the whole suite is looked at, at trace.
//!
//! What runs in this process logs through the broker's own logger (its filter, its form, its
//! masks), which [`watch`] starts with every library at its most talkative; its lines are looked at
//! and shown to nobody. Every process of the binary runs at trace as well, and a [`Listener`] looks
//! at each line on its standard error before a test hears it; a test hears what `info` would have
//! told it, unless it set `RUST_LOG` itself.
//!
//! A leak ends the whole run at once, with [`CODE`] and a story on standard error. A panic would
//! not do: lines come from tasks and threads that no test waits for, where a panic is caught, and
//! the last of them may come when every test is over but the process is not. The price is one leak
//! a run.

mod line;
mod patterns;
mod search;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, Once};

use upload_broker::telemetry::log::{Format, listen};

pub use line::is_visible_at_info;
pub use patterns::PATTERNS;
pub use search::{find, register_secret, register_setting};

/// What a run ends with that has told a secret: as one ends whose tests fail.
pub const LEAK_EXIT_CODE: i32 = 101;

/// The place of lines of this process, for [`lines`].
pub const IN_PROCESS: &str = "inside";

/// A secret in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// What kind of secret it is.
    pub what: String,
    /// The line.
    pub line: String,
}

thread_local! {
    /// Where this thread's leaks go while they are what a test wants to see.
    static WANTED: RefCell<Option<Vec<Leak>>> = const { RefCell::new(None) };
}

/// How many lines came, by place and by who said them.
static LINES: Mutex<BTreeMap<(&str, String), u64>> = Mutex::new(BTreeMap::new());

/// Everything at trace: a name in the filter is the beginning of a library's.
pub fn trace_filter() -> String {
    let named: String = ('a'..='z').map(|c| format!(",{c}=trace")).collect();
    format!("trace{named}")
}

/// From now on, what is logged in this process is looked at.
pub fn install_logger() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let hear = |line: &str| {
            look(IN_PROCESS, line, || {
                let thread = std::thread::current();
                format!("the thread {}", thread.name().unwrap_or("without a name"))
            });
        };
        listen(Format::Text, &trace_filter(), hear).expect("the first logger of the process");
    });
}

/// What `act` tells that nobody may see, on this thread; the run goes on.
pub fn collect_leaks(act: impl FnOnce()) -> Vec<Leak> {
    install_logger();
    WANTED.set(Some(Vec::new()));
    act();
    WANTED.take().unwrap_or_default()
}

/// How many lines `library` (or we) said at `place`: [`INSIDE`], or the name of a command.
pub fn lines(place: &str, library: &str) -> u64 {
    let lines = LINES.lock().expect("the counts");
    (lines.iter())
        .filter(|((where_, who), _)| *where_ == place && who == library)
        .map(|(_, count)| count)
        .sum()
}

/// Who listens to an output of a process.
pub struct LineChecker {
    /// The command; none where secrets may be told.
    place: Option<&'static str>,
    /// The test that started it.
    test: String,
    /// Whether the test hears all that is said.
    all: bool,
}

/// The commands that tell no secret on standard output either. The others print a key that was
/// made, the examples of the document, or bytes of others.
const QUIET: [&str; 8] = [
    "serve",
    "janitor",
    "doctor",
    "migrate",
    "check-config",
    "audit",
    "healthcheck",
    "tenants",
];

impl LineChecker {
    /// For standard error of this command, started by the calling thread's test. It hears
    /// everything, or what `info` tells.
    pub fn of_err(command: &str, all: bool) -> LineChecker {
        let known = QUIET.into_iter().chain(["dev"]).find(|one| *one == command);
        LineChecker::new(Some(known.unwrap_or("another command")), all)
    }

    /// For its standard output.
    pub fn of_out(command: &str) -> LineChecker {
        LineChecker::new(QUIET.into_iter().find(|one| *one == command), true)
    }

    fn new(place: Option<&'static str>, all: bool) -> LineChecker {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("without a name").to_owned();
        LineChecker { place, test, all }
    }

    /// Looks at a line; whether the test hears it too.
    pub fn hear(&self, line: &str) -> bool {
        if let Some(place) = self.place {
            look(place, line, || format!("{place}, started by {}", self.test));
        }
        self.all || is_visible_at_info(line)
    }
}

fn look(place: &'static str, line: &str, who: impl FnOnce() -> String) {
    if let Some(speaker) = line::speaker(line) {
        let mut lines = LINES.lock().expect("the counts");
        *lines.entry((place, speaker.to_owned())).or_default() += 1;
    }
    let Some(what) = find(line) else { return };
    let leak = Leak {
        what,
        line: line.to_owned(),
    };
    let expected = WANTED.with_borrow_mut(|wanted| match wanted {
        Some(leaks) => {
            leaks.push(leak.clone());
            true
        }
        None => false,
    });
    if !expected {
        end(&leak, &who());
    }
}

/// Ends the run. Written past what captures the output of tests: this one is not theirs.
fn end(leak: &Leak, who: &str) -> ! {
    let Leak { what, line } = leak;
    let story = format!("\n\na log holds a secret ({what}), said by {who}:\n{line}\n\n");
    let _ = std::io::stderr().write_all(story.as_bytes());
    std::process::exit(LEAK_EXIT_CODE)
}
