//! The program that is started as a child, and its command line.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::task::Task;
use crate::processors::this_program::this_program;

/// The program that has the hidden command `process`.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    /// The `PATH` of the child: where it finds the programs that processors start.
    search_path: Option<OsString>,
}

impl Program {
    /// This program.
    ///
    /// On Linux this is the file that this process was started from, even if an upgrade has
    /// replaced it in the file system meanwhile: parent and child are always of the same version.
    ///
    /// # Errors
    /// The system does not report where the program is.
    pub fn this() -> io::Result<Self> {
        this_program().map(Self::at)
    }

    /// Another file of the same program.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            search_path: None,
        }
    }

    /// Lets processors find the programs that they start in these folders, and nowhere else.
    #[must_use]
    pub fn with_search_path(self, search_path: Option<OsString>) -> Self {
        Self {
            search_path,
            ..self
        }
    }

    /// The command for a task, without its standard output.
    ///
    /// The child is in a process group of its own, so that Ctrl-C reaches only the broker, which
    /// decides what becomes of the child.
    pub(super) fn command(&self, task: &Task<'_>) -> Command {
        let limits = task.limits;
        let mut command = Command::new(&self.path);
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
            .envs(self.search_path.as_ref().map(|path| ("PATH", path)))
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        command
    }
}
