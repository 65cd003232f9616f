//! The runtime that `main` runs on.

use std::future::Future;
use std::process::ExitCode;

/// Bytes of stack of each worker thread. Twice the default: a debug build keeps every value of nested
/// futures apart. Only what is used of it takes memory.
const WORKER_STACK: usize = 4 << 20;

/// Runs `main` on a multi-thread tokio runtime and returns its exit code. Unlike
/// `#[tokio::main]` it does not wait for blocking calls that still run (a name lookup, a read
/// from a dead disk): they must not hold up a process that was told to stop. A runtime that the
/// system refuses is logged and is exit code 1.
pub fn run(main: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(WORKER_STACK)
        .build()
    {
        Ok(runtime) => {
            let code = runtime.block_on(main);
            runtime.shutdown_background();
            code
        }
        Err(fault) => {
            log::error!("no runtime: {fault}");
            ExitCode::FAILURE
        }
    }
}
