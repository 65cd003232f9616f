//! A question to the person at the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::thread;

use tokio::sync::oneshot;

use crate::client::error::{Error, Result};

/// Ensures that there is a terminal to ask at.
///
/// # Errors
/// [`Error::Settings`] where there is none.
pub(super) fn ensure_possible() -> Result<()> {
    match io::stdin().is_terminal() && io::stderr().is_terminal() {
        true => Ok(()),
        false => Err(Error::settings(
            "there is no terminal to ask at whether the folder shall be deleted: give --yes",
        )),
    }
}

/// Asks, and returns whether the answer is yes. An answer that is neither counts as no.
///
/// # Errors
/// A terminal that cannot be read.
pub(super) async fn confirm(question: &str) -> Result<bool> {
    let asked = {
        let mut terminal = io::stderr().lock();
        write!(terminal, "{question} [y/N] ").and_then(|()| terminal.flush())
    };
    asked.map_err(|error| Error::local("cannot write to the terminal", error))?;
    let (sender, answer) = oneshot::channel();
    // A thread of its own, so that Ctrl-C need not wait for a key.
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|_| line);
        let _ = sender.send(read);
    });
    let unread = |_| Error::Failed("the terminal cannot be read".to_owned());
    let line = answer.await.map_err(unread)?;
    let line = line.map_err(|error| Error::local("cannot read the terminal", error))?;
    let answer = line.trim().to_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes"))
}
