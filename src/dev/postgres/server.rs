//! The server process: started on a free port, and awaited until it answers.

use std::fs::{self, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::Options;
use super::account::Account;
use super::error::Error;
use crate::dev::child::ServerProcess;

/// How often `postmaster.pid` is looked at while the server starts.
const POLL: Duration = Duration::from_millis(5);
/// The longest start, with recovery after a crash in it.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest fast shutdown, with a checkpoint in it.
const GRACE: Duration = Duration::from_secs(20);

/// What [`run`] needs to know.
pub(super) struct Plan<'a> {
    pub(super) bin: &'a Path,
    pub(super) account: &'a Account,
    pub(super) data: &'a Path,
    pub(super) log: &'a Path,
    pub(super) options: &'a Options,
}

/// A server that answers.
pub(super) struct Running {
    pub(super) process: ServerProcess,
    pub(super) port: u16,
}

/// How one attempt ended, when it did not succeed.
enum Setback {
    /// Worth another attempt: the port was taken in between, or the processes of a server that
    /// was killed are still ending.
    Passing(Error),
    Final(Error),
}

/// Starts the server and waits until it answers.
pub(super) fn run(plan: &Plan<'_>) -> Result<Running, Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt(plan, deadline) {
            Ok(running) => return Ok(running),
            Err(Setback::Passing(_)) if Instant::now() < deadline => thread::sleep(POLL),
            Err(Setback::Passing(error) | Setback::Final(error)) => return Err(error),
        }
    }
}

fn attempt(plan: &Plan<'_>, deadline: Instant) -> Result<Running, Setback> {
    let said_before = fs::metadata(plan.log).map_or(0, |log| log.len());
    let port = free_port().map_err(|e| Setback::Final(Error::file(plan.data)(e)))?;
    let mut process = command(plan, port)
        .and_then(|mut command| {
            ServerProcess::spawn(&mut command, "INT", GRACE)
                .map_err(Error::program(&plan.bin.join("postgres")))
        })
        .map_err(Setback::Final)?;
    loop {
        if is_ready(plan.data, process.id()) {
            return Ok(Running { process, port });
        }
        let ended = process
            .try_wait()
            .map_err(|e| Setback::Final(Error::Stop(e)))?;
        if ended.is_some() || Instant::now() > deadline {
            return Err(diagnose(plan, said_before));
        }
        thread::sleep(POLL);
    }
}

fn command(plan: &Plan<'_>, port: u16) -> Result<Command, Error> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(plan.log)
        .map_err(Error::file(plan.log))?;
    let errors = log.try_clone().map_err(Error::file(plan.log))?;
    let mut command = plan.account.command(&plan.bin.join("postgres"), plan.data);
    command.arg("-D").arg(plan.data);
    let mut set = |name: &str, value: &str| {
        command.arg("-c").arg(format!("{name}={value}"));
    };
    set("port", &port.to_string());
    set("listen_addresses", "127.0.0.1");
    // No socket file: its path may be too long, and the port suffices.
    set("unix_socket_directories", "");
    set("log_checkpoints", "off");
    set("max_connections", &plan.options.max_connections.to_string());
    if !plan.options.durable {
        set("fsync", "off");
        set("full_page_writes", "off");
        set("synchronous_commit", "off");
    }
    for (name, value) in &plan.options.settings {
        set(name, value);
    }
    command.stdout(Stdio::from(log)).stderr(Stdio::from(errors));
    Ok(command)
}

/// Postgres has no "port 0". The port is free now; should someone take it before Postgres does,
/// the attempt is made again.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Line 8 of `postmaster.pid` is the state; line 1 tells our server's file from a stale one.
fn is_ready(data: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else {
        return false;
    };
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(&pid.to_string()) && lines.nth(6) == Some("ready")
}

/// What the server's log says about why it ended (or did not get ready).
fn diagnose(plan: &Plan<'_>, said_before: u64) -> Setback {
    let log = fs::read(plan.log).unwrap_or_default();
    let start = usize::try_from(said_before).unwrap_or(usize::MAX);
    let said = String::from_utf8_lossy(log.get(start..).unwrap_or_default()).into_owned();
    if said.contains("\"postmaster.pid\" already exists") {
        let pid = fs::read_to_string(plan.data.join("postmaster.pid")).unwrap_or_default();
        return Setback::Final(Error::Running {
            dir: plan.data.to_owned(),
            pid: pid.lines().next().unwrap_or("unknown").to_owned(),
        });
    }
    let passing = ["could not bind", "is still in use"];
    let error = Error::Failed {
        program: "postgres",
        output: said.clone(),
    };
    if passing.iter().any(|words| said.contains(words)) {
        Setback::Passing(error)
    } else {
        Setback::Final(error)
    }
}
