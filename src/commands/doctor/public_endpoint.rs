//! `public-endpoint`: does the endpoint of S3 for clients answer here?
//!
//! It may be one that only clients can reach, such as the published port of a container. The checks
//! that write as a client does then use the endpoint of the broker, which is the same store.

use std::time::Duration;

use super::super::output::causes;
use super::context::CheckContext;
use super::time_limit::interrupted;
use super::verdict::{CheckResult, Verdict};
use crate::objects::sign::Signer;

/// How long the endpoint may take to answer. The other checks wait meanwhile.
const REACH_LIMIT: Duration = Duration::from_secs(5);

/// Checks the endpoint. If it does not answer, `context` signs for the endpoint of the broker from now
/// on.
pub(super) async fn check_public_endpoint(context: &mut CheckContext) -> CheckResult {
    CheckResult::new("public-endpoint", verdict(context).await)
}

async fn verdict(context: &mut CheckContext) -> Verdict {
    if context.settings.s3.public_endpoint.is_none() {
        return Verdict::ok(
            "BROKER_S3_PUBLIC_ENDPOINT is not set: clients use the endpoint of the broker",
        );
    }
    let (origin, reached) = match &context.signer {
        Ok(signer) => (
            signer.endpoint().origin().to_owned(),
            reach(context, signer),
        ),
        Err(why) => {
            let fix = "correct BROKER_S3_PUBLIC_ENDPOINT";
            return Verdict::failed(format!("no URL can be signed: {why}"), fix);
        }
    };
    let reason = match context.stop.run_until_cancelled(reached).await {
        Some(Ok(())) => return Verdict::ok(format!("{origin} answers here as well")),
        Some(Err(reason)) => reason,
        None => return interrupted(),
    };
    context.sign_for_broker().await;
    Verdict::warning(
        format!(
            "{origin} does not answer here ({reason}); the checks use the endpoint of the broker instead"
        ),
        "send a request to this address from where the clients are; if it does not answer there, correct \
         BROKER_S3_PUBLIC_ENDPOINT",
    )
}

/// Sends a request that needs no rights. Any answer is good, also a refusal.
async fn reach(context: &CheckContext, signer: &Signer) -> Result<(), String> {
    let endpoint = signer.endpoint();
    let url = format!("{}{}", endpoint.origin(), endpoint.base_path());
    let answer = context.wire.clock(&url, &context.clock);
    match tokio::time::timeout(REACH_LIMIT, answer).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(causes(&error)),
        Err(_) => Err(format!("no answer within {} s", REACH_LIMIT.as_secs())),
    }
}
