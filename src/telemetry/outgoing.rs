//! What sends spans and what sends reports have in common.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use http::HeaderMap;
use reqwest::redirect;
use tokio_util::sync::CancellationToken;

/// The longest time of one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time that the last calls may take after the process has stopped.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// The name of the client.
pub(super) const USER_AGENT: &str = concat!("upload-broker/", env!("CARGO_PKG_VERSION"));

/// Creates a client that sends these headers with each call. It follows no redirects, so that
/// credentials are sent to no other host.
///
/// # Errors
/// The system lacks what an HTTP client needs.
pub(super) fn client(headers: HeaderMap) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .default_headers(headers)
        .timeout(CALL_TIMEOUT)
        .redirect(redirect::Policy::none())
        .build()
}

/// Runs `sending`, which ends by itself once `over` is cancelled and everything is sent, until two
/// seconds after `over` is cancelled. Returns whether it has ended by then.
pub(super) async fn ends_in_time(
    sending: impl Future<Output = ()>,
    over: &CancellationToken,
) -> bool {
    let late = async {
        over.cancelled().await;
        tokio::time::sleep(FLUSH_TIMEOUT).await;
    };
    tokio::select! {
        () = sending => true,
        () = late => false,
    }
}

/// Describes why a call got no answer, with all causes. The URL is left out: its path may have the
/// number of a project, which is not public.
pub(super) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        next = cause.source();
    }
    reason
}
