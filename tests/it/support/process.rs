//! The real binary as a process of its own: started with chosen settings, heard, signalled.
//!
//! It sees no variable of the test's own environment but `PATH` and what finds Postgres, so a
//! developer's shell decides nothing. Whatever happens to the test, the process is killed. It logs
//! everything, and no line may hold a secret (see `leaks`).

mod ended;
mod signals;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

pub use ended::FinishedProcess;
pub use signals::{is_running, signal};

use super::leaks::{LineChecker, register_setting, trace_filter};
use super::{pg_bin, shared};

/// More than anything here takes, on a machine under load.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Ports of the tests' own.
const FIRST_PORT: u16 = 10_240;
const PORTS: u16 = 20_480;

/// A process to be.
#[derive(Clone)]
pub struct Run {
    args: Vec<String>,
    settings: BTreeMap<String, String>,
    folder: Option<std::path::PathBuf>,
    input: Option<Vec<u8>>,
}

/// A running process, with all that it says. Killed when dropped.
pub struct Process {
    child: Child,
    said: watch::Receiver<Said>,
}

/// What a process has said so far.
#[derive(Clone, Debug, Default)]
struct Said {
    out: String,
    err: String,
    /// How many of its two outputs are closed.
    closed: u8,
}

impl Run {
    /// `upload-broker ARGS` without a setting.
    pub fn new(args: &[&str]) -> Run {
        Run {
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            settings: BTreeMap::new(),
            folder: None,
            input: None,
        }
    }

    /// With a setting.
    pub fn set(mut self, name: &str, value: impl ToString) -> Run {
        self.settings.insert(name.into(), value.to_string());
        self
    }

    /// Without a setting that was there.
    pub fn unset(mut self, name: &str) -> Run {
        self.settings.remove(name);
        self
    }

    /// With settings.
    pub fn with(self, settings: &[(&str, String)]) -> Run {
        (settings.iter()).fold(self, |run, (name, value)| run.set(name, value))
    }

    /// In this folder.
    pub fn current_dir(mut self, folder: &Path) -> Run {
        self.folder = Some(folder.to_owned());
        self
    }

    /// With this on its standard input, by a pipe.
    pub fn stdin(mut self, input: &[u8]) -> Run {
        self.input = Some(input.to_owned());
        self
    }

    /// Starts it.
    pub fn spawn(self) -> Process {
        let name = self.args.first().map_or("", String::as_str);
        let all = self.settings.contains_key("RUST_LOG");
        let (of_out, of_err) = (LineChecker::of_out(name), LineChecker::of_err(name, all));
        for (name, value) in &self.settings {
            register_setting(name, value);
        }
        let mut command = Command::new(env!("CARGO_BIN_EXE_upload-broker"));
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", super::process_folder::path())
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("RUST_LOG", trace_filter())
            .envs(pg_bin().map(|bin| ("PG_BIN", bin)))
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
        let mut child = command.spawn().expect("the binary");
        if let (Some(input), Some(mut pipe)) = (self.input, child.stdin.take()) {
            shared().spawn(async move {
                // Whoever wants no more need not take it.
                let _ = pipe.write_all(&input).await;
            });
        }
        let (tell, said) = watch::channel(Said::default());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let out = hear(out.expect("stdout"), tell.clone(), of_out, |said| {
            &mut said.out
        });
        let err = hear(err.expect("stderr"), tell, of_err, |said| &mut said.err);
        shared().spawn(out);
        shared().spawn(err);
        Process { child, said }
    }

    /// Runs it to its end.
    pub async fn finish(self) -> FinishedProcess {
        self.spawn().wait().await
    }
}

async fn hear(
    output: impl AsyncRead + Unpin,
    tell: watch::Sender<Said>,
    listener: LineChecker,
    which: fn(&mut Said) -> &mut String,
) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !listener.hear(&line) {
            continue;
        }
        tell.send_modify(|said| {
            let text = which(said);
            text.push_str(&line);
            text.push('\n');
        });
    }
    tell.send_modify(|said| said.closed += 1);
}

impl Process {
    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id().expect("a process that runs")
    }

    /// All that it has said on standard error.
    pub fn log(&self) -> String {
        self.said.borrow().err.clone()
    }

    /// All that it has said on standard output.
    pub fn output(&self) -> String {
        self.said.borrow().out.clone()
    }

    /// Waits for a line on standard output that holds `text`, and returns it.
    pub async fn wait_for_output(&mut self, text: &str) -> String {
        self.line(|said| &said.out, text, 1).await
    }

    /// Waits for a line on standard error that holds `text`, and returns it.
    pub async fn wait_for_log(&mut self, text: &str) -> String {
        self.wait_for_nth_log(text, 1).await
    }

    /// Waits for the `count`th such line.
    pub async fn wait_for_nth_log(&mut self, text: &str, count: usize) -> String {
        self.line(|said| &said.err, text, count).await
    }

    async fn line(&mut self, stream: fn(&Said) -> &str, text: &str, count: usize) -> String {
        let deadline = Instant::now() + TIMEOUT;
        let all = |said: &Said| format!("{}{}", said.out, said.err);
        // What was looked at is not looked at again: it only grows, by whole lines.
        let (mut looked, mut found) = (0, 0);
        loop {
            {
                let now = self.said.borrow_and_update();
                let stream = stream(&now);
                for line in stream[looked..].lines().filter(|line| line.contains(text)) {
                    found += 1;
                    if found == count {
                        return line.to_owned();
                    }
                }
                looked = stream.len();
                assert!(now.closed < 2, "it ended without {text:?}:\n{}", all(&now));
            }
            if timeout_at(deadline, self.said.changed()).await.is_err() {
                let all = all(&self.said.borrow());
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

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        signal(name, self.id());
    }

    /// Waits for its end.
    pub async fn wait(mut self) -> FinishedProcess {
        let deadline = Instant::now() + TIMEOUT;
        let status = timeout_at(deadline, self.child.wait()).await;
        let Ok(status) = status else {
            panic!("it does not end:\n{}", self.log());
        };
        let closed = timeout_at(deadline, self.said.wait_for(|said| said.closed == 2)).await;
        let said = closed
            .expect("its outputs are closed")
            .expect("listeners")
            .clone();
        FinishedProcess {
            status: status.expect("its status"),
            out: said.out,
            err: said.err,
        }
    }

    /// Asks it to stop, and waits for its end.
    pub async fn stop(self, name: &str) -> FinishedProcess {
        self.signal(name);
        self.wait().await
    }
}

/// A port that nobody has now, and that no other test is given. It lies below those that the
/// system hands out by itself (Linux: from 32768), so that it is free at the next start too.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Runs beside this one begin elsewhere.
    let first = std::process::id() % 1_000 * 20;
    loop {
        let port = FIRST_PORT + (first as u16 + NEXT.fetch_add(1, Relaxed)) % PORTS;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
