//! Asks the user for confirmation on the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::thread;

use tokio::sync::oneshot;

use crate::client::error::{Error, Result};

/// Ensures that there is a terminal.
///
/// # Errors
/// [`Error::Settings`] if there is none.
pub(super) fn ensure_terminal() -> Result<()> {
    match io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => Ok(()),
        false => Err(Error::settings(
            "cannot ask for confirmation without a terminal: use --yes",
        )),
    }
}

/// Asks the question, and returns whether the answer is yes. Any other answer counts as no.
///
/// # Errors
/// Fails if the terminal cannot be read.
pub(super) async fn confirm(question: &str) -> Result<bool> {
    let written = {
        let mut terminal = io::stderr().lock();
        write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush())
    };
    written.map_err(|error| Error::local("cannot write to the terminal", error))?;
    let (sender, answer) = oneshot::channel();
    // A separate thread, so that Ctrl-C need not wait for input.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|_| line);
        let _ = sender.send(read);
    });
    let unread = |_| Error::Failed("cannot read from the terminal".to_owned());
    let line = answer.await.map_err(unread)?;
    let line = line.map_err(|error| Error::local("cannot read from the terminal", error))?;
    let answer = line.trim().to_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes"))
}
