//! SIGHUP, by which an operator asks the process to read its files again.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Receives SIGHUP. Once it is created, SIGHUP no longer terminates the process.
#[derive(Debug)]
pub struct Hangups(Signal);

impl Hangups {
    /// Installs the handler. It must be called inside a tokio runtime.
    ///
    /// # Errors
    /// If the system rejects the handler.
    pub fn new() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next SIGHUP. Several that arrive at once count as one.
    pub async fn next(&mut self) {
        self.0.recv().await;
    }
}
