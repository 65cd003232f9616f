//! How a process stops: on request, when a loop fails, and when a task does not stop. Timeouts that
//! must not expire are one hour, so that no test depends on the speed of the machine.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use actix_web::{App, HttpServer};
use tokio::sync::oneshot;

use super::*;

const NEVER: Duration = Duration::from_secs(3600);
const AT_ONCE: Duration = Duration::ZERO;

#[tokio::test]
async fn soft_stop_lets_loops_and_jobs_finish() {
    let shutdown = Shutdown::new();
    let (said, heard) = oneshot::channel();
    let stop = shutdown.clone();
    shutdown.spawn("relay", async move {
        stop.stopping().await;
        said.send("finished its batch")
            .map_err(|_| "the receiver is gone")
    });
    shutdown.spawn_job("connection", tokio::task::yield_now());
    assert!(!shutdown.is_stopping());

    shutdown.stop();
    let outcome = shutdown.wait(NEVER).await;

    assert_eq!(outcome, Outcome::default());
    assert_eq!(heard.await, Ok("finished its batch"));
}

#[tokio::test]
async fn panic_of_loop_is_failure_and_stops_other_loops() {
    let shutdown = Shutdown::new();
    let stop = shutdown.clone();
    shutdown.spawn("janitor", async move { stop.stopping().await });
    shutdown.spawn("relay", die("no luck"));

    let outcome = shutdown.wait(NEVER).await;

    assert_eq!(shown(&outcome), ["relay panicked: no luck"]);
    assert!(outcome.unfinished.is_empty(), "{outcome:?}");
    assert!(!outcome.is_clean());
}

#[tokio::test]
async fn early_return_of_loop_is_failure() {
    let shutdown = Shutdown::new();
    shutdown.spawn("janitor", async {});
    let outcome = shutdown.wait(NEVER).await;
    assert_eq!(shown(&outcome), ["janitor returned before the shutdown"]);
}

#[tokio::test]
async fn error_of_loop_is_failure_while_stopping() {
    let shutdown = Shutdown::new();
    let stop = shutdown.clone();
    shutdown.spawn("server", async move {
        stop.stopping().await;
        Err::<(), _>("the socket broke")
    });
    shutdown.stop();
    let outcome = shutdown.wait(NEVER).await;
    assert_eq!(shown(&outcome), ["server failed: the socket broke"]);
}

#[tokio::test]
async fn end_or_panic_of_job_does_not_stop_process() {
    let shutdown = Shutdown::new();
    let (done, dropped) = oneshot::channel::<Infallible>();
    shutdown.spawn_job("connection", async move {
        let _done = done;
        die("a bad client").await;
    });
    dropped.await.expect_err("the job has unwound");
    assert!(!shutdown.is_stopping());
    shutdown.stop();
    assert!(shutdown.wait(NEVER).await.is_clean());
}

#[tokio::test]
async fn task_that_does_not_stop_in_time_is_named_and_dropped() {
    let shutdown = Shutdown::new();
    let (held, dropped) = oneshot::channel::<Infallible>();
    shutdown.spawn("stuck", async move {
        let _held = held;
        pending::<()>().await;
    });
    shutdown.stop();

    let outcome = shutdown.wait(AT_ONCE).await;

    assert_eq!(outcome.unfinished, ["stuck"]);
    assert!(!outcome.is_clean());
    dropped.await.expect_err("the hard stop drops the loop");
}

/// A destructor may log which data is lost, and the process ends right after that.
#[tokio::test]
async fn dropped_tasks_run_their_destructors() {
    struct ReportOnDrop(std::sync::mpsc::Sender<&'static str>);
    impl Drop for ReportOnDrop {
        fn drop(&mut self) {
            let _ = self.0.send("all is lost");
        }
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    let shutdown = Shutdown::new();
    let report = ReportOnDrop(sender);
    shutdown.spawn("audit", async move {
        let _report = report;
        pending::<()>().await;
    });
    shutdown.stop();
    assert!(!shutdown.wait(AT_ONCE).await.is_clean());
    assert_eq!(receiver.try_recv(), Ok("all is lost"));
}

#[tokio::test]
async fn hard_stop_does_not_wait_for_timeout() {
    let shutdown = Shutdown::new();
    shutdown.spawn("stuck", pending::<()>());
    shutdown.hard.cancel();
    assert_eq!(shutdown.wait(NEVER).await.unfinished, ["stuck"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_server_stops_softly() {
    let shutdown = Shutdown::new();
    let server = HttpServer::new(App::new)
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .expect("a free port")
        .run();
    let (handle, stop) = (server.handle(), shutdown.clone());
    shutdown.spawn("http", server);
    shutdown.spawn("http stop", async move {
        stop.stopping().await;
        handle.stop(true).await;
    });

    shutdown.stop();

    assert_eq!(shutdown.wait(NEVER).await, Outcome::default());
}

async fn die(why: &str) {
    panic!("{why}")
}

fn shown(outcome: &Outcome) -> Vec<String> {
    outcome.failures.iter().map(ToString::to_string).collect()
}
