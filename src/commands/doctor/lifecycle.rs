//! `lifecycle`: who frees the parts of multipart uploads that nobody completes, and not too early?

use std::time::Duration;

use super::patient::Patient;
use super::probing::unsaid;
use super::verdict::Verdict;
use crate::objects::inspect::AbortRule;

const DAY: u64 = 86_400;

pub(super) async fn check(patient: &Patient) -> Verdict {
    match patient.store.abort_rules().await {
        Ok(rules) => verdict(&rules, patient.settings.uploads.session_max),
        Err(error) => unsaid(&error, "s3:GetLifecycleConfiguration"),
    }
}

/// The broker's janitor frees its own; a rule is for what it never hears of.
fn verdict(rules: &[AbortRule], session: Duration) -> Verdict {
    let days = session.as_secs().div_ceil(DAY).max(1);
    let early = rules.iter().find(|rule| u64::from(rule.days) < days);
    if let Some(AbortRule {
        id,
        prefix,
        days: after,
    }) = early
    {
        return Verdict::failed(
            format!(
                "the rule {id:?} (prefix {prefix:?}) frees parts after {after} days, while uploads \
                 may go on for {days}"
            ),
            format!(
                "make it DaysAfterInitiation {days} or more, or lower BROKER_SESSION_MAX_SECONDS"
            ),
        );
    }
    match rules.iter().find(|rule| rule.prefix.is_empty()) {
        Some(rule) => Verdict::ok(format!(
            "parts of uploads that nobody completes are freed after {} days",
            rule.days
        )),
        None => Verdict::warning(
            "no rule frees the parts of uploads that nobody completes: the janitor knows its own \
             alone",
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
    fn a_rule_frees_parts_and_not_those_of_a_session() {
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
