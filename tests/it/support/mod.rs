//! The environment of the tests: a real Postgres, servers that implement the real protocols of S3, SNS and
//! SQS, and proxies that simulate failures. No service is mocked, and a missing program fails the tests
//! instead of skipping them.
//!
//! All tests share one process. The first test that needs a server starts it, and the server stops when the
//! process ends, however it ends. Every test creates its own clients, because a connection belongs to the
//! runtime that created it, and each test has its own runtime.

pub mod app;
pub mod blocked_gate;
pub mod cloud;
pub mod database;
pub mod derived;
pub mod event_stream;
pub mod events;
pub mod faulty_proxy;
pub mod fleet;
pub mod gate;
pub mod holding_proxy;
pub mod inbox;
pub mod invariant;
pub mod leaks;
pub mod lenient_store;
pub mod load;
pub mod observe;
pub mod options;
pub mod pgbouncer;
pub mod process;
pub mod process_folder;
pub mod pump;
pub mod python;
pub mod raw;
pub mod real_stores;
pub mod receiver;
mod refused_uploads;
pub mod replacing_proxy;
pub mod reply;
pub mod rewriting_proxy;
pub mod seeded_rng;
pub mod serving;
pub mod setup;
pub mod sns_proxy;
pub mod store;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use tokio::runtime::{Handle, Runtime};

/// The runtime for tasks that outlive a test, or that must run while the thread of a test is blocked.
pub fn shared() -> &'static Handle {
    static SHARED: OnceLock<Runtime> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            leaks::install_logger();
            Runtime::new().expect("a runtime for shared services")
        })
        .handle()
}

/// Runs `future` to its end. It can be called anywhere, even inside the runtime of a test or in a drop.
pub fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| shared().block_on(future))
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Returns a unique name that is valid for a bucket, a topic, a queue and a database.
pub fn unique(kind: &str) -> String {
    format!("{kind}-{}", uuid::Uuid::new_v4().simple())
}

/// Returns the path of a program in the virtual environment that the Makefile creates.
pub fn venv(program: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(".venv/bin")
        .join(program);
    assert!(
        path.is_file(),
        "{} is missing: run `make test` (or `make venv`, then cargo test)",
        path.display()
    );
    path
}

/// Returns the value of `PG_BIN`, the folder of the Postgres server programs. The Makefile and the broker use
/// this variable too.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests have no config module; this is their one variable"
)]
pub fn pg_bin() -> Option<PathBuf> {
    std::env::var_os("PG_BIN").map(PathBuf::from)
}

/// Returns where `make coverage` collects what a process has executed.
pub fn coverage_file() -> Option<OsString> {
    std::env::var_os("LLVM_PROFILE_FILE")
}
