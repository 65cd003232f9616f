//! Checks that no log contains a secret. Every log line of every test is checked, at level trace.
//!
//! Code in this process logs through the logger of the broker (with its filter, format and masking), which
//! [`install_logger`] starts at level trace for all libraries. Its lines are checked and not printed. Every
//! process of the binary also logs at level trace, and a [`LineChecker`] checks each line of its standard error
//! before a test sees it. A test sees only the lines of level `info`, unless it sets `RUST_LOG` itself.
//!
//! A leak ends the whole run immediately, with the exit code [`LEAK_EXIT_CODE`] and a message on standard error.
//! A panic would not suffice: lines are written by tasks and threads that no test waits for, where a panic is
//! caught, and the last lines may be written after all tests have ended. The drawback is that a run reports
//! only one leak.

mod line;
mod patterns;
mod search;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Mutex, Once};

use upload_broker::telemetry::log::{Format, listen};

use super::options;

pub use line::is_visible_at_info;
pub use patterns::PATTERNS;
pub use search::{find, register_secret, register_setting};

/// The exit code after a leak, which is that of failed tests.
pub const LEAK_EXIT_CODE: i32 = 101;

/// The source of lines of this process, for [`lines`].
pub const IN_PROCESS: &str = "inside";

/// A secret in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The kind of the secret.
    pub what: String,
    /// The line.
    pub line: String,
}

thread_local! {
    /// Collects the leaks of this thread while a test expects them.
    static EXPECTED: RefCell<Option<Vec<Leak>>> = const { RefCell::new(None) };
}

/// The number of lines by source and library.
static LINES: Mutex<BTreeMap<(&str, String), u64>> = Mutex::new(BTreeMap::new());

/// Returns a filter for one level of everything, by default trace. A name in the filter is a prefix of
/// library names.
pub fn log_filter() -> String {
    let level = options::log_level();
    let named: String = ('a'..='z').map(|c| format!(",{c}={level}")).collect();
    format!("{level}{named}")
}

/// Installs a logger that checks every line that this process logs.
pub fn install_logger() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let check = |line: &str| {
            check_line(IN_PROCESS, line, || {
                let thread = std::thread::current();
                format!("the thread {}", thread.name().unwrap_or("without a name"))
            });
        };
        listen(Format::Text, &log_filter(), check).expect("the first logger of the process");
    });
}

/// Runs `act` and returns the leaks in the lines that it logs on this thread. They do not end the run.
pub fn collect_leaks(act: impl FnOnce()) -> Vec<Leak> {
    install_logger();
    EXPECTED.set(Some(Vec::new()));
    act();
    EXPECTED.take().unwrap_or_default()
}

/// Returns the number of lines that `library` (or the broker) logged at `place`: [`IN_PROCESS`], or the name of
/// a command.
pub fn lines(place: &str, library: &str) -> u64 {
    let lines = LINES.lock().expect("the counts");
    (lines.iter())
        .filter(|((where_, who), _)| *where_ == place && who == library)
        .map(|(_, count)| count)
        .sum()
}

/// Checks the lines of an output of a process.
pub struct LineChecker {
    /// The command; `None` if its output may contain secrets.
    place: Option<&'static str>,
    /// The test that started the process.
    test: String,
    /// Whether the test sees all lines.
    all: bool,
}

/// The commands whose standard output must not contain a secret either. The other commands print a new key, the
/// examples of the API document, or bytes of datasets.
const CHECKED_COMMANDS: [&str; 8] = [
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
    /// Creates a checker for the standard error of this command, which the test of the calling thread starts. The
    /// test sees all lines, or only those of level `info`.
    pub fn of_err(command: &str, all: bool) -> LineChecker {
        let known = CHECKED_COMMANDS
            .into_iter()
            .chain(["dev"])
            .find(|one| *one == command);
        LineChecker::new(Some(known.unwrap_or("another command")), all)
    }

    /// Creates a checker for the standard output of this command.
    pub fn of_out(command: &str) -> LineChecker {
        LineChecker::new(
            CHECKED_COMMANDS.into_iter().find(|one| *one == command),
            true,
        )
    }

    fn new(place: Option<&'static str>, all: bool) -> LineChecker {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("without a name").to_owned();
        LineChecker { place, test, all }
    }

    /// Checks a line, and returns whether the test sees it.
    pub fn check(&self, line: &str) -> bool {
        if let Some(place) = self.place {
            check_line(place, line, || format!("{place}, started by {}", self.test));
        }
        self.all || is_visible_at_info(line)
    }
}

fn check_line(place: &'static str, line: &str, who: impl FnOnce() -> String) {
    if let Some(library) = line::library(line) {
        let mut lines = LINES.lock().expect("the counts");
        *lines.entry((place, library.to_owned())).or_default() += 1;
    }
    let Some(what) = find(line) else { return };
    let leak = Leak {
        what,
        line: line.to_owned(),
    };
    let expected = EXPECTED.with_borrow_mut(|wanted| match wanted {
        Some(leaks) => {
            leaks.push(leak.clone());
            true
        }
        None => false,
    });
    if !expected {
        end_run(&leak, &who());
    }
}

/// Ends the run. The message is written to standard error directly, because the output of tests is captured.
fn end_run(leak: &Leak, who: &str) -> ! {
    let Leak { what, line } = leak;
    let message = format!("\n\na log contains a secret ({what}), logged by {who}:\n{line}\n\n");
    let _ = std::io::stderr().write_all(message.as_bytes());
    std::process::exit(LEAK_EXIT_CODE)
}
