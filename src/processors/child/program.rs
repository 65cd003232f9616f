//! The program that is started as a child, and its command line.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::task::Task;

/// The program that has the hidden command `process`.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// This program.
    ///
    /// On Linux this is the file that this process was started from, even if an upgrade has
    /// replaced it in the file system meanwhile: parent and child are always of the same version.
    ///
    /// # Errors
    /// The system does not tell where the program is.
    pub fn this() -> io::Result<Self> {
        match cfg!(target_os = "linux") {
            true => Ok(Self(PathBuf::from("/proc/self/exe"))),
            false => std::env::current_exe().map(Self),
        }
    }

    /// Another file of the same program.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The command for a task, without its standard output.
    ///
    /// The child is in a process group of its own, so that Ctrl-C reaches only the broker, which
    /// decides what becomes of the child.
    pub(super) fn command(&self, task: &Task<'_>) -> Command {
        let limits = task.limits;
        let mut command = Command::new(&self.0);
        command
            .arg0("upload-broker")
            .arg("process")
            .arg(task.processor.name)
            .arg("--framed")
            .arg("--options")
            .arg(task.options.to_string())
            .arg("--memory")
            .arg(limits.memory_bytes.to_string())
            .arg("--cpu")
            .arg(limits.cpu_seconds.to_string())
            .arg("--output")
            .arg(limits.output_bytes.to_string())
            .arg("--spill")
            .arg(limits.spill_bytes.to_string())
            .arg("--scratch")
            .arg(&limits.scratch)
            .arg("--parent")
            .arg(std::process::id().to_string())
            .env_clear()
            .env("TMPDIR", &limits.scratch)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}
