//! `lifecycle`: does a lifecycle rule free the parts of abandoned multipart uploads, but not too
//! early?

use std::time::Duration;

use super::context::CheckContext;
use super::verdict::Verdict;
use super::with_probe::configuration_unreadable;
use crate::objects::inspect::AbortRule;

const DAY: u64 = 86_400;

pub(super) async fn check_lifecycle(context: &CheckContext) -> Verdict {
    match context.store.abort_rules().await {
        Ok(rules) => verdict(&rules, context.settings.uploads.session_max),
        Err(error) => configuration_unreadable(&error, "s3:GetLifecycleConfiguration"),
    }
}

/// The janitor frees the parts of the broker's own uploads. A rule frees those that the broker does
/// not know.
fn verdict(rules: &[AbortRule], session: Duration) -> Verdict {
    let days = session.as_secs().div_ceil(DAY).max(1);
    let too_early = rules.iter().find(|rule| u64::from(rule.days) < days);
    if let Some(AbortRule {
        id,
        prefix,
        days: after,
    }) = too_early
    {
        return Verdict::failed(
            format!(
                "the rule {id:?} (prefix {prefix:?}) frees parts after {after} days, but uploads \
                 may take {days} days"
            ),
            format!(
                "set DaysAfterInitiation to {days} or more, or lower BROKER_SESSION_MAX_SECONDS"
            ),
        );
    }
    match rules.iter().find(|rule| rule.prefix.is_empty()) {
        Some(rule) => Verdict::ok(format!(
            "parts of abandoned multipart uploads are freed after {} days",
            rule.days
        )),
        None => Verdict::warning(
            "no rule frees the parts of abandoned multipart uploads: the janitor only frees those of \
             the broker",
            format!(
                "add to the lifecycle configuration: {{\"ID\": \"upload-broker\", \"Status\": \
                 \"Enabled\", \"Filter\": {{}}, \"AbortIncompleteMultipartUpload\": \
                 {{\"DaysAfterInitiation\": {}}}}}",
                days + 1
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::verdict::State;
    use super::*;

    #[test]
    fn rule_must_cover_the_bucket_and_not_end_before_a_session() {
        let rule = |prefix: &str, days| AbortRule {
            id: "r".into(),
            prefix: prefix.into(),
            days,
        };
        let week = Duration::from_secs(7 * DAY);
        for (rules, state) in [
            (vec![], State::Warning),
            (vec![rule("", 7)], State::Ok),
            (vec![rule("", 6)], State::Failed),
            (vec![rule("", 8), rule("logs/", 1)], State::Failed),
            (vec![rule("logs/", 8)], State::Warning),
        ] {
            assert_eq!(verdict(&rules, week).state, state, "{rules:?}");
        }
    }
}
