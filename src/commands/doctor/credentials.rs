//! `credentials`: are the AWS credentials static or temporary, and do they outlive the URLs that
//! they sign?

use chrono::TimeDelta;

use super::context::CheckContext;
use super::verdict::Verdict;
use crate::domain::event::timestamp;

pub(super) fn check_credentials(context: &CheckContext) -> Verdict {
    let credentials = match &context.credentials {
        Ok(credentials) => credentials,
        Err(why) => {
            let fix =
                "assign a role to the broker, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Verdict::failed(why, fix);
        }
    };
    let wanted = context.settings.uploads.url_lifetime;
    match credentials.expires_at() {
        Some(end) => {
            let left = (end - context.clock.now()).max(TimeDelta::zero());
            let description = format!(
                "temporary, expire at {} ({} s)",
                timestamp(end),
                left.num_seconds()
            );
            if left.to_std().unwrap_or_default() >= wanted {
                return Verdict::ok(description);
            }
            let seconds = wanted.as_secs();
            Verdict::warning(
                format!("{description}: URLs expire with them, before their {seconds} s are over"),
                "increase the session duration of the role, or lower BROKER_URL_SECONDS",
            )
        }
        None if credentials.is_temporary() => Verdict::warning(
            "temporary without a known expiry: URLs may expire earlier than stated",
            "let the SDK fetch them (role, web identity, container) instead of setting AWS_SESSION_TOKEN",
        ),
        None => Verdict::ok("static: the access key does not expire, so rotate it"),
    }
}
