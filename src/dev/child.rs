//! A server that runs as our child and never outlives us.
//!
//! When we end well, [`ServerProcess::stop`] (or drop) signals it and waits. When we are killed
//! with `kill -9`, nothing of ours runs any more; so a tiny shell sits beside the server, reads
//! from a pipe that only we hold, and sends the signal when the kernel closes that pipe. That
//! works on every Unix; Linux's parent-death signal would fire when the *thread* that started
//! the child ends, which is any time for a test thread or a blocking pool.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often an ending child is looked at.
const POLL: Duration = Duration::from_millis(5);

/// A running server; stopped when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    watchdog: Option<Child>,
    signal: &'static str,
    grace: Duration,
}

impl ServerProcess {
    /// Starts `command`. `signal` (a name as `kill -s` knows it, like `INT`) asks it to stop;
    /// after `grace` it is killed.
    ///
    /// It gets a process group of its own: Ctrl-C reaches us alone, and we stop the server after
    /// those who still use it.
    ///
    /// # Errors
    /// When the program, or the shell that watches over it, cannot be started.
    pub fn spawn(
        command: &mut Command,
        signal: &'static str,
        grace: Duration,
    ) -> io::Result<ServerProcess> {
        let child = command.stdin(Stdio::null()).process_group(0).spawn()?;
        let mut process = ServerProcess {
            child,
            watchdog: None,
            signal,
            grace,
        };
        // On failure the drop of `process` stops the server again.
        process.watchdog = Some(watchdog(process.id(), signal)?);
        Ok(process)
    }

    /// The server's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, if the server ended by itself.
    ///
    /// # Errors
    /// When the operating system will not say.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Stops the server and waits until it is gone. A second call does nothing.
    ///
    /// # Errors
    /// When the server can be neither signalled nor waited for.
    pub fn stop(&mut self) -> io::Result<()> {
        // The watchdog goes first: once the server is reaped, its process id may be anyone's.
        if let Some(mut watchdog) = self.watchdog.take() {
            watchdog.kill()?;
            watchdog.wait()?;
        }
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        send(self.id(), self.signal)?;
        let deadline = Instant::now() + self.grace;
        while Instant::now() < deadline {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(POLL);
        }
        self.child.kill()?;
        self.child.wait().map(drop)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        if let Err(cause) = self.stop() {
            log::warn!("the server process {} was not stopped: {cause}", self.id());
        }
    }
}

/// A shell that sends `signal` to `pid` when our end of its pipe closes.
fn watchdog(pid: u32, signal: &str) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", r#"read -r _; kill -s "$1" "$2""#, "watchdog"])
        .args([signal, &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

/// `kill` as the shell has it built in: std can only send SIGKILL.
fn send(pid: u32, signal: &str) -> io::Result<()> {
    let status = Command::new("/bin/sh")
        .args(["-c", r#"kill -s "$1" "$2""#, "kill", signal])
        .arg(pid.to_string())
        .stderr(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("kill -s {signal} {pid} failed")))
    }
}
