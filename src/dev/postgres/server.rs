//! Starts the server process on a free port, and waits until it accepts connections.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::account::Account;
use super::error::Error;
use super::options::Options;
use crate::dev::child::ServerProcess;

/// How often to read `postmaster.pid` while the server starts.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The longest duration of a start, including the recovery after a crash.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest duration of a fast shutdown, including a checkpoint.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// The parameters of [`run`].
pub(super) struct StartParameters<'a> {
    pub(super) bin: &'a Path,
    pub(super) account: &'a Account,
    pub(super) data: &'a Path,
    pub(super) log: &'a Path,
    pub(super) options: &'a Options,
}

/// A server that accepts connections.
pub(super) struct Running {
    pub(super) process: ServerProcess,
    pub(super) port: u16,
}

/// Why an attempt to start the server failed.
enum StartFailure {
    /// Another attempt may succeed: another process took the port in the meantime, or the processes of a
    /// killed server are still ending.
    Transient(Error),
    Permanent(Error),
}

/// Starts the server and waits until it accepts connections.
pub(super) fn run(parameters: &StartParameters<'_>) -> Result<Running, Error> {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        match attempt(parameters, deadline) {
            Ok(running) => return Ok(running),
            Err(StartFailure::Transient(_)) if Instant::now() < deadline => {
                thread::sleep(POLL_INTERVAL)
            }
            Err(StartFailure::Transient(error) | StartFailure::Permanent(error)) => {
                return Err(error);
            }
        }
    }
}

fn attempt(parameters: &StartParameters<'_>, deadline: Instant) -> Result<Running, StartFailure> {
    let log_length = fs::metadata(parameters.log).map_or(0, |log| log.len());
    let port = free_port().map_err(|e| StartFailure::Permanent(Error::file(parameters.data)(e)))?;
    let mut process = command(parameters, port)
        .and_then(|mut command| {
            ServerProcess::spawn(&mut command, "INT", STOP_TIMEOUT)
                .map_err(Error::program(&parameters.bin.join("postgres")))
        })
        .map_err(StartFailure::Permanent)?;
    loop {
        if is_ready(parameters.data, process.id()) {
            return Ok(Running { process, port });
        }
        let ended = process
            .try_wait()
            .map_err(|e| StartFailure::Permanent(Error::Stop(e)))?;
        if ended.is_some() || Instant::now() > deadline {
            return Err(diagnose(parameters, log_length));
        }
        thread::sleep(POLL_INTERVAL);
    }
}

fn command(parameters: &StartParameters<'_>, port: u16) -> Result<Command, Error> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(parameters.log)
        .map_err(Error::file(parameters.log))?;
    let errors = log.try_clone().map_err(Error::file(parameters.log))?;
    let mut command = parameters
        .account
        .command(&parameters.bin.join("postgres"), parameters.data);
    command.arg("-D").arg(parameters.data);
    let mut set = |name: &str, value: &str| {
        command.arg("-c").arg(format!("{name}={value}"));
    };
    set("port", &port.to_string());
    set("listen_addresses", "127.0.0.1");
    // No socket file is created: its path may be too long, and the port is sufficient.
    set("unix_socket_directories", "");
    set("log_checkpoints", "off");
    set(
        "max_connections",
        &parameters.options.max_connections.to_string(),
    );
    if !parameters.options.durable {
        set("fsync", "off");
        set("full_page_writes", "off");
        set("synchronous_commit", "off");
    }
    for (name, value) in &parameters.options.settings {
        set(name, value);
    }
    command.stdout(Stdio::from(log)).stderr(Stdio::from(errors));
    Ok(command)
}

/// Returns a port that is free now. Postgres cannot choose a free port itself. If another process takes the
/// port before Postgres does, the start is attempted again.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Reads the state of the server from line 8 of `postmaster.pid`. Line 1, the process id, distinguishes the
/// file from a stale one.
fn is_ready(data: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else {
        return false;
    };
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
}

/// Determines from the log why the server ended or did not become ready.
fn diagnose(parameters: &StartParameters<'_>, log_length: u64) -> StartFailure {
    let log = fs::read(parameters.log).unwrap_or_default();
    let start = usize::try_from(log_length).unwrap_or(usize::MAX);
    let output = String::from_utf8_lossy(log.get(start..).unwrap_or_default()).into_owned();
    if output.contains("\"postmaster.pid\" already exists") {
        let pid = fs::read_to_string(parameters.data.join("postmaster.pid")).unwrap_or_default();
        return StartFailure::Permanent(Error::Running {
            dir: parameters.data.to_owned(),
            pid: pid.lines().next().unwrap_or("unknown").to_owned(),
        });
    }
    let transient = ["could not bind", "is still in use"];
    let error = Error::Failed {
        program: "postgres",
        output: output.clone(),
    };
    if transient.iter().any(|text| output.contains(text)) {
        StartFailure::Transient(error)
    } else {
        StartFailure::Permanent(error)
    }
}
