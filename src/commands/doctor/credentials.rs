//! `credentials`: which kind, and do they outlive the URLs that they sign?

use chrono::TimeDelta;

use super::patient::Patient;
use super::verdict::Verdict;
use crate::domain::event::timestamp;

pub(super) fn check(patient: &Patient) -> Verdict {
    let credentials = match &patient.credentials {
        Ok(credentials) => credentials,
        Err(why) => {
            let fix = "give the broker a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
            return Verdict::failed(why, fix);
        }
    };
    let wanted = patient.settings.uploads.url_lifetime;
    match credentials.expires_at() {
        Some(end) => {
            let left = (end - patient.clock.now()).max(TimeDelta::zero());
            let told = format!(
                "temporary, until {} ({} s)",
                timestamp(end),
                left.num_seconds()
            );
            if left.to_std().unwrap_or_default() >= wanted {
                return Verdict::ok(told);
            }
            let seconds = wanted.as_secs();
            Verdict::warning(
                format!("{told}: URLs end with them, before their {seconds} s are over"),
                "have the role's sessions last longer, or lower BROKER_URL_SECONDS",
            )
        }
        None if credentials.is_temporary() => Verdict::warning(
            "temporary, and nobody says until when: URLs may end before they say",
            "let the SDK fetch them (role, web identity, container) in place of AWS_SESSION_TOKEN",
        ),
        None => Verdict::ok("static: a key that does not end; rotate it"),
    }
}
