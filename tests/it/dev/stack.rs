//! An embedded stack in a temporary folder, which can be started several times.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::support::process::{Process, Run, free_port};
use crate::support::serving::Caller;

/// A folder, and ports that stay the same from one start to the next.
pub struct Stack {
    folder: TempDir,
    port: u16,
    s3_port: u16,
}

/// A running stack, and a caller with its key.
pub struct Running {
    pub process: Process,
    pub caller: Caller,
}

impl Stack {
    pub fn new() -> Stack {
        // Under /tmp, where the user that runs Postgres has access when the tests run as root.
        let open = std::fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().permissions(open).tempdir();
        Stack {
            folder: folder.expect("a temporary folder"),
            port: free_port(),
            s3_port: free_port(),
        }
    }

    /// `upload-broker dev ARGS` in this folder and on these ports.
    pub fn run(&self, args: &[&str]) -> Run {
        let args: Vec<_> = ["dev"].iter().chain(args).copied().collect();
        Run::new(&args)
            .current_dir(self.folder.path())
            .set("BROKER_BIND", format!("127.0.0.1:{}", self.port))
            .set("BROKER_DEV_S3_BIND", format!("127.0.0.1:{}", self.s3_port))
            .set("BROKER_DEV_DIR", "state")
    }

    /// Starts the stack with more settings.
    pub async fn start(&self, settings: &[(&str, &str)]) -> Running {
        self.start_as(
            settings
                .iter()
                .fold(self.run(&[]), |run, (name, value)| run.set(name, value)),
        )
        .await
    }

    /// Starts the stack with the given command, and reads the key from its output.
    pub async fn start_as(&self, run: Run) -> Running {
        let mut process = run.spawn();
        let url = process.ready().await;
        let line = process.wait_for_output("API key ").await;
        process
            .wait_for_output("Notifications are printed below")
            .await;
        let (_, key) = line.split_once("API key ").expect("a key");
        let caller = Caller::new(url, key.trim().to_owned());
        Running { process, caller }
    }

    /// The process id of the stack's own Postgres, if its folder has one.
    pub fn postgres(&self) -> Option<u32> {
        let file = self
            .folder
            .path()
            .join("state/postgres/cluster/data/postmaster.pid");
        let text = std::fs::read_to_string(file).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// The state folder.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }
}

impl Running {
    /// The lines to paste, as they are printed.
    pub fn lines(&self) -> Vec<String> {
        let log = self.process.output();
        let pasted = |line: &&str| line.starts_with("S=$(") || line.starts_with("curl ");
        let lines: Vec<_> = log.lines().filter(pasted).map(str::to_owned).collect();
        assert_eq!(lines.len(), 3, "three lines to paste: {log}");
        lines
    }
}
