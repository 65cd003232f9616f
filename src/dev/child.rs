//! A server that runs as a child process and never outlives this process.
//!
//! If this process ends regularly, [`ServerProcess::stop`] (or drop) sends the server a signal and waits for
//! it. If this process is killed with `kill -9`, it cannot do that. Therefore a small shell, the watchdog,
//! runs next to the server. It reads from a pipe whose other end only this process holds, and sends the
//! signal when the kernel closes the pipe. That works on every Unix. The parent-death signal of Linux would
//! be sent when the *thread* that started the child ends, which may happen at any time for a test thread or
//! a thread of a blocking pool.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often to check whether a stopping server has ended.
const POLL: Duration = Duration::from_millis(5);

/// A running server. It is stopped when this value is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    watchdog: Option<Child>,
    signal: &'static str,
    grace: Duration,
}

impl ServerProcess {
    /// Starts `command`. To stop the server, `signal` is sent (a name that `kill -s` accepts, such as `INT`);
    /// after `grace` the server is killed.
    ///
    /// The server gets its own process group, so that Ctrl-C reaches only this process. This process stops
    /// the server after everything that still uses it.
    ///
    /// # Errors
    /// The program or the watchdog cannot be started.
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
        // If this fails, the drop of `process` stops the server.
        process.watchdog = Some(watchdog(process.id(), signal)?);
        Ok(process)
    }

    /// Returns the process id of the server.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the exit status if the server has ended by itself.
    ///
    /// # Errors
    /// The operating system does not report the status.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Stops the server and waits until it has ended. A second call does nothing.
    ///
    /// # Errors
    /// The signal cannot be sent, or the end of the server cannot be awaited.
    pub fn stop(&mut self) -> io::Result<()> {
        // The watchdog is stopped first, because the process id of the server may belong to another
        // process after the server has been reaped.
        if let Some(mut watchdog) = self.watchdog.take() {
            watchdog.kill()?;
            watchdog.wait()?;
        }
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        send_signal(self.id(), self.signal)?;
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
            log::warn!("cannot stop the server process {}: {cause}", self.id());
        }
    }
}

/// Starts a shell that sends `signal` to `pid` when this process closes its end of the pipe.
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

/// Sends a signal with the `kill` that is built into the shell. The standard library can only send SIGKILL.
fn send_signal(pid: u32, signal: &str) -> io::Result<()> {
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
