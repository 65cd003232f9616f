//! What every test stands on: a real Postgres, real S3, SNS and SQS protocols, and a gate that
//! cuts them off. Nothing here is a mock, and nothing is skipped when it is missing.
//!
//! All tests share one process. The servers are started by the first test that asks, and stop
//! when the process ends, however it ends. Every test makes its own clients: a connection belongs
//! to the runtime that made it, and each test has its own.

pub mod app;
pub mod blocked_gate;
pub mod cloud;
pub mod database;
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
pub mod replacing_proxy;
pub mod reply;
pub mod rewriting_proxy;
pub mod seeded_rng;
pub mod serving;
pub mod setup;
pub mod sns_proxy;
pub mod store;

use std::path::PathBuf;
use std::sync::OnceLock;

use tokio::runtime::{Handle, Runtime};

/// The runtime of what outlives a test, or must move while a test's own thread blocks.
pub fn shared() -> &'static Handle {
    static SHARED: OnceLock<Runtime> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            leaks::install_logger();
            Runtime::new().expect("a runtime for shared services")
        })
        .handle()
}

/// Runs `future` to its end from anywhere, also inside a test's runtime or in a drop.
pub fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        scope
            .spawn(|| shared().block_on(future))
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// A name that no other test has, fit for a bucket, a topic, a queue and a database.
pub fn unique(kind: &str) -> String {
    format!("{kind}-{}", uuid::Uuid::new_v4().simple())
}

/// A program of the virtual environment that the Makefile makes.
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

/// `PG_BIN`, which the Makefile and the broker know too: the folder of the server's programs.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests have no config module; this is their one variable"
)]
pub fn pg_bin() -> Option<PathBuf> {
    std::env::var_os("PG_BIN").map(PathBuf::from)
}
