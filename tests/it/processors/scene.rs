//! A folder for temporary files, and the program whose processors run in it.

use std::io::{self, Read as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use upload_broker::processors::child::{
    self, ChildError, ChildLimits, Finished, Input, LocalFile, Program, Task,
};
use upload_broker::processors::{Failure, Processor, find};

/// Much longer than any child of a test takes.
const LONG: Duration = Duration::from_secs(120);

/// A folder, and limits that no test reaches by accident.
pub struct Scene {
    pub folder: TempDir,
    pub limits: ChildLimits,
    pub program: Program,
    pub stop: CancellationToken,
    pub progress: AtomicU64,
}

/// What a child has written and reported.
#[derive(Debug)]
pub struct Done {
    pub bytes: Vec<u8>,
    pub report: Value,
}

impl Scene {
    pub fn new() -> Scene {
        let folder = tempfile::tempdir().expect("a folder");
        Scene {
            limits: ChildLimits {
                memory_bytes: 64 << 20,
                cpu_seconds: 60,
                wall: LONG,
                output_bytes: 256 << 20,
                spill_bytes: 256 << 20,
                scratch: folder.path().to_owned(),
            },
            folder,
            program: Program::at(env!("CARGO_BIN_EXE_upload-broker")),
            stop: CancellationToken::new(),
            progress: AtomicU64::new(0),
        }
    }

    /// Changes the limits.
    pub fn limited(mut self, change: impl FnOnce(&mut ChildLimits)) -> Scene {
        change(&mut self.limits);
        self
    }

    /// Runs the processor `trial` with these options and inputs.
    pub async fn try_run(
        &self,
        options: Value,
        inputs: Vec<Input<'_>>,
    ) -> Result<Finished, ChildError> {
        let task = Task {
            processor: trial(),
            options: &options,
            inputs,
            limits: &self.limits,
            progress: &self.progress,
        };
        child::run(&self.program, task, &self.stop).await
    }

    /// The same; the child must succeed.
    pub async fn run(&self, options: Value, inputs: Vec<Input<'_>>) -> Done {
        let finished = self.try_run(options, inputs).await;
        let finished = finished.unwrap_or_else(|error| panic!("{error:?}"));
        let [result] = <[_; 1]>::try_from(finished.results).expect("one result");
        Done {
            bytes: bytes_of(result.local),
            report: finished.report,
        }
    }

    /// The same; the processor must fail.
    pub async fn fail(&self, options: Value, inputs: Vec<Input<'_>>) -> Failure {
        match self.try_run(options, inputs).await {
            Err(ChildError::Failed(failure)) => {
                self.assert_empty();
                failure
            }
            other => panic!("{other:?}"),
        }
    }

    /// Fails if a temporary file remains.
    pub fn assert_empty(&self) {
        let left = std::fs::read_dir(self.folder.path()).expect("the folder");
        let left: Vec<_> = left.map(|entry| entry.expect("an entry").path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// The processes of this scene, by the folder in their command lines.
    pub fn children(&self) -> Vec<u32> {
        let folder = self.folder.path().to_str().expect("UTF-8");
        let processes = std::fs::read_dir("/proc").expect("/proc");
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        ids.filter(|id: &u32| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(folder)
        })
        .collect()
    }

    /// The number of bytes that the child has taken.
    pub fn taken(&self) -> u64 {
        self.progress.load(Ordering::Relaxed)
    }
}

/// The processor of debug builds that does what its options say.
pub fn trial() -> &'static Processor {
    find("trial").expect("the tests run in a debug build")
}

/// The bytes of a file, which must be as many as stated.
pub fn bytes_of(mut local: LocalFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    local.file.read_to_end(&mut bytes).expect("the file");
    assert_eq!(bytes.len() as u64, local.size);
    bytes
}

/// An input of these bytes.
pub fn input(bytes: impl Into<Vec<u8>>) -> Input<'static> {
    let bytes = Bytes::from(bytes.into());
    Input {
        size: bytes.len() as u64,
        bytes: stream::iter([Ok(bytes)]).boxed(),
    }
}

/// An endless input of chunks of `size` bytes.
pub fn endless(size: usize) -> BoxStream<'static, io::Result<Bytes>> {
    stream::repeat_with(move || Ok(Bytes::from(vec![b'x'; size]))).boxed()
}
