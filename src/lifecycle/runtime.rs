//! The tokio runtime of the process.

use std::future::Future;
use std::process::ExitCode;

/// The stack size of a worker thread in bytes. It is twice the default, because a debug build keeps
/// each value of nested futures separately. Only the used part takes memory.
const WORKER_STACK: usize = 4 << 20;

/// Runs `main` on a multi-threaded tokio runtime and returns its exit code. Unlike
/// `#[tokio::main]`, it does not wait for blocking calls that still run (a name lookup, a read from
/// a failed disk), because they must not delay a process that is stopping. If the runtime cannot be
/// created, this is logged and the exit code is 1.
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
            log::error!("the runtime cannot be created: {fault}");
            ExitCode::FAILURE
        }
    }
}
