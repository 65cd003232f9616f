//! Runs the real binary, or a script, as a process, with chosen settings, captured output and signals.
//!
//! The process inherits no variable of the environment of the test except `PG_BIN`, and that which names the file
//! of its coverage, so the shell of a developer has no influence. The process is killed when the test ends, however it ends. It logs at level
//! trace, and no line may contain a secret (see `leaks`).

mod ended;
mod signals;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

pub use ended::FinishedProcess;
pub use signals::{is_running, signal};

use super::leaks::{LineChecker, log_filter, register_setting};
use super::{coverage_file, pg_bin, shared, venv};

/// A timeout that is longer than any operation of a process takes on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The range of ports for the tests.
const FIRST_PORT: u16 = 10_240;
const PORTS: u16 = 20_480;

/// The arguments, settings and input of a process.
#[derive(Clone)]
pub struct Run {
    program: PathBuf,
    args: Vec<String>,
    settings: BTreeMap<String, String>,
    folder: Option<PathBuf>,
    input: Option<Vec<u8>>,
}

/// A running process and its output. It is killed when this value is dropped.
pub struct Process {
    child: Child,
    output: watch::Receiver<Output>,
}

/// The output of a process so far.
#[derive(Clone, Debug, Default)]
struct Output {
    out: String,
    err: String,
    /// The number of its two output streams that are closed.
    closed: u8,
}

impl Run {
    /// Creates a run of `upload-broker ARGS` without settings.
    pub fn new(args: &[&str]) -> Run {
        Run {
            program: env!("CARGO_BIN_EXE_upload-broker").into(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            settings: BTreeMap::new(),
            folder: None,
            input: None,
        }
    }

    /// Creates a run of Python, in the virtual environment, with these arguments.
    pub fn python(args: &[&str]) -> Run {
        let run = Run::new(args).set("PYTHONDONTWRITEBYTECODE", 1);
        Run {
            program: venv("python3"),
            ..run
        }
    }

    /// Adds a setting.
    pub fn set(mut self, name: &str, value: impl ToString) -> Run {
        self.settings.insert(name.into(), value.to_string());
        self
    }

    /// Removes a setting.
    pub fn unset(mut self, name: &str) -> Run {
        self.settings.remove(name);
        self
    }

    /// Adds settings.
    pub fn with(self, settings: &[(&str, String)]) -> Run {
        (settings.iter()).fold(self, |run, (name, value)| run.set(name, value))
    }

    /// Sets the working folder.
    pub fn current_dir(mut self, folder: &Path) -> Run {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Sets the standard input, which is a pipe.
    pub fn stdin(mut self, input: &[u8]) -> Run {
        self.input = Some(input.to_owned());
        self
    }

    /// Starts the process.
    pub fn spawn(self) -> Process {
        let name = self.args.first().map_or("", String::as_str);
        let all = self.settings.contains_key("RUST_LOG");
        let (of_out, of_err) = (LineChecker::of_out(name), LineChecker::of_err(name, all));
        for (name, value) in &self.settings {
            register_setting(name, value);
        }
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", super::process_folder::path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("RUST_LOG", log_filter())
            .envs(pg_bin().map(|bin| ("PG_BIN", bin)))
            .envs(coverage_file().map(|file| ("LLVM_PROFILE_FILE", file)))
            .envs(&self.settings)
            .stdin(match self.input {
                Some(_) => Stdio::piped(),
                None => Stdio::null(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(folder) = self.folder {
            command.current_dir(folder);
        }
        let _inside = shared().enter();
        let mut child = command.spawn().expect("the program");
        if let (Some(input), Some(mut pipe)) = (self.input, child.stdin.take()) {
            shared().spawn(async move {
                // The process may end before it has read everything.
                let _ = pipe.write_all(&input).await;
            });
        }
        let (sender, output) = watch::channel(Output::default());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let out = capture(out.expect("stdout"), sender.clone(), of_out, |output| {
            &mut output.out
        });
        let err = capture(err.expect("stderr"), sender, of_err, |output| {
            &mut output.err
        });
        shared().spawn(out);
        shared().spawn(err);
        Process { child, output }
    }

    /// Starts the process and waits for its end.
    pub async fn finish(self) -> FinishedProcess {
        self.spawn().wait().await
    }
}

async fn capture(
    output: impl AsyncRead + Unpin,
    sender: watch::Sender<Output>,
    checker: LineChecker,
    which: fn(&mut Output) -> &mut String,
) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !checker.check(&line) {
            continue;
        }
        sender.send_modify(|output| {
            let text = which(output);
            text.push_str(&line);
            text.push('\n');
        });
    }
    sender.send_modify(|output| output.closed += 1);
}

impl Process {
    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("a process that runs")
    }

    /// Returns the standard error so far.
    pub fn log(&self) -> String {
        self.output.borrow().err.clone()
    }

    /// Returns the standard output so far.
    pub fn output(&self) -> String {
        self.output.borrow().out.clone()
    }

    /// Waits for a line on standard output that contains `text`, and returns it.
    pub async fn wait_for_output(&mut self, text: &str) -> String {
        self.line(|output| &output.out, text, 1).await
    }

    /// Waits for a line on standard error that contains `text`, and returns it.
    pub async fn wait_for_log(&mut self, text: &str) -> String {
        self.wait_for_nth_log(text, 1).await
    }

    /// Waits for the `count`th such line.
    pub async fn wait_for_nth_log(&mut self, text: &str, count: usize) -> String {
        self.line(|output| &output.err, text, count).await
    }

    async fn line(&mut self, stream: fn(&Output) -> &str, text: &str, count: usize) -> String {
        let deadline = Instant::now() + TIMEOUT;
        let all = |output: &Output| format!("{}{}", output.out, output.err);
        // The output only grows by whole lines, so each line is checked once.
        let (mut checked, mut found) = (0, 0);
        loop {
            {
                let now = self.output.borrow_and_update();
                let stream = stream(&now);
                for line in stream[checked..].lines().filter(|line| line.contains(text)) {
                    found += 1;
                    if found == count {
                        return line.to_owned();
                    }
                }
                checked = stream.len();
                assert!(
                    now.closed < 2,
                    "the process ended without {text:?}:\n{}",
                    all(&now)
                );
            }
            if timeout_at(deadline, self.output.changed()).await.is_err() {
                let all = all(&self.output.borrow());
                panic!("no {text:?} in {TIMEOUT:?}:\n{all}");
            }
        }
    }

    /// Waits until the broker listens, and returns its URL.
    pub async fn ready(&mut self) -> String {
        let line = self.wait_for_log("listening on http").await;
        let (_, rest) = line.split_once("listening on ").expect("an address");
        let url = rest.split(['"', ' ']).next().expect("a URL");
        url.to_owned()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        signal(name, self.id());
    }

    /// Waits for the end of the process.
    pub async fn wait(mut self) -> FinishedProcess {
        let deadline = Instant::now() + TIMEOUT;
        let status = timeout_at(deadline, self.child.wait()).await;
        let Ok(status) = status else {
            panic!("the process does not end:\n{}", self.log());
        };
        let closed = timeout_at(deadline, self.output.wait_for(|output| output.closed == 2)).await;
        let output = closed
            .expect("its outputs are closed")
            .expect("the capturing tasks")
            .clone();
        FinishedProcess {
            status: status.expect("its status"),
            out: output.out,
            err: output.err,
        }
    }

    /// Sends a signal and waits for the end of the process.
    pub async fn stop(self, name: &str) -> FinishedProcess {
        self.signal(name);
        self.wait().await
    }
}

/// Returns a port that is free now, and that no other test gets. It is below the range from which the system
/// assigns ports (from 32768 on Linux), so that it is still free when the process is started again.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Concurrent test processes start at different ports.
    let first = std::process::id() % 1_000 * 20;
    loop {
        let port = FIRST_PORT + (first as u16 + NEXT.fetch_add(1, Relaxed)) % PORTS;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
