//! Starts children in one thread that lives as long as this process.
//!
//! A child asks the kernel to be killed when its parent ends. For Linux the parent is the *thread*
//! that started the child ("PR_SET_PDEATHSIG", prctl(2)). A thread of the runtime may end at any
//! time, as those for blocking calls do when they have been idle for some seconds; its children
//! would be killed in the middle of their work.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The child, and the file that its standard output is written to.
type Launched = (Child, File);

struct Request {
    command: Command,
    scratch: PathBuf,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Launched>>,
}

/// The way to the thread; `None` before its start.
static LAUNCHER: Mutex<Option<Sender<Request>>> = Mutex::new(None);

/// Starts `command` with a new temporary file in `scratch` as its standard output. The file has no
/// name.
///
/// If the future is dropped, a child that was started is killed.
pub(super) async fn launch(command: Command, scratch: PathBuf) -> io::Result<Launched> {
    let (reply, launched) = oneshot::channel();
    let request = Request {
        command,
        scratch,
        runtime: Handle::current(),
        reply,
    };
    send(request)?;
    launched.await.map_err(io::Error::other)?
}

fn send(request: Request) -> io::Result<()> {
    let mut launcher = LAUNCHER.lock().unwrap_or_else(PoisonError::into_inner);
    let sender = match launcher.take() {
        Some(sender) => sender,
        None => start()?,
    };
    let sent = sender.send(request);
    if sent.is_ok() {
        *launcher = Some(sender);
    }
    sent.map_err(|_| io::Error::other("the thread that starts processes has ended"))
}

fn start() -> io::Result<Sender<Request>> {
    let (sender, requests) = mpsc::channel();
    thread::Builder::new()
        .name("launcher".to_owned())
        .spawn(move || serve(&requests))?;
    Ok(sender)
}

fn serve(requests: &Receiver<Request>) {
    while let Ok(request) = requests.recv() {
        // The child's pipes belong to the runtime of the caller.
        let _inside = request.runtime.enter();
        let launched = start_child(request.command, request.scratch);
        // A caller that waits no longer drops the child, which kills it.
        drop(request.reply.send(launched));
    }
}

fn start_child(mut command: Command, scratch: PathBuf) -> io::Result<Launched> {
    let file = tempfile::tempfile_in(&scratch).map_err(|error| {
        let folder = scratch.display();
        io::Error::new(
            error.kind(),
            format!("no temporary file in {folder}: {error}"),
        )
    })?;
    command.stdout(Stdio::from(file.try_clone()?));
    Ok((command.spawn()?, file))
}
