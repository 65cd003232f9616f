//! SIGHUP: the operator asks to read files anew.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its making on, SIGHUP ends the process no more: it is waited for here.
#[derive(Debug)]
pub struct Hangups(Signal);

impl Hangups {
    /// Call it inside a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn new() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Comes back at the next one. Several that come at once are one.
    pub async fn next(&mut self) {
        self.0.recv().await;
    }
}
