//! `conditional-writes`: does the store honour the conditions of writes and deletes, and do the
//! settings agree?
//!
//! A missing ability is no failure by itself, because the broker detects it and uses a fallback. It
//! is a failure if a setting claims an ability that the store does not have.

use super::verdict::{State, Verdict};
use crate::config::{StoreSwitches, Switch};
use crate::domain::abilities::{Ability, Support};
use crate::objects::probe::{AbilityReport, Probe, ProbeError};

pub(super) async fn check_conditional_writes(
    switches: StoreSwitches,
    probe: &Probe<'_>,
) -> Result<Verdict, ProbeError> {
    let tried = probe.ability_probe().run().await?;
    let all = Ability::CONDITIONAL_WRITES.map(|ability| verdict(ability, switches, &tried));
    Ok(combine(&all))
}

/// The verdict on one ability.
fn verdict(ability: Ability, switches: StoreSwitches, tried: &AbilityReport) -> Verdict {
    let texts = Texts::of(ability, switches);
    let (what, variable) = (texts.what, texts.variable);
    let answers = format!("{what} ({})", tried.answers(ability));
    match (texts.switch, tried.abilities.support(ability)) {
        (_, Support::Unknown) => Verdict::unknown(
            format!("whether the store honours {answers} is unknown"),
            format!("allow s3:PutObject and s3:DeleteObject, or set {variable}"),
        ),
        (Switch::Auto | Switch::On, Support::Yes) | (Switch::Auto, Support::Unquoted) => {
            Verdict::ok(format!("{what} is honoured"))
        }
        (Switch::Unquoted, Support::Unquoted) => Verdict::ok(format!("{what} is honoured")),
        (Switch::On, Support::Unquoted) | (Switch::Unquoted, Support::Yes) => Verdict::failed(
            format!(
                "the store requires another spelling of the ETags of {answers} than {variable} says"
            ),
            format!("set {variable}=auto"),
        ),
        (Switch::On | Switch::Unquoted, Support::No) => Verdict::failed(
            format!(
                "the store does not honour {answers}, although {variable} says that it does: {}",
                texts.harm
            ),
            format!(
                "set {variable}=auto, so that the broker uses a fallback, or use a store that honours it"
            ),
        ),
        (Switch::Auto, Support::No) => Verdict::warning(
            format!("the store does not honour {answers}: {}", texts.instead),
            "no setting helps; only a store that honours it closes the gap",
        ),
        (Switch::Off, Support::Yes | Support::Unquoted) => Verdict::warning(
            format!("{what} is turned off by the settings, although the store honours it"),
            format!("set {variable}=auto"),
        ),
        (Switch::Off, Support::No) => Verdict::ok(format!(
            "{what} is turned off by the settings, and the store does not honour it"
        )),
    }
}

/// The texts about one ability.
struct Texts {
    what: &'static str,
    variable: &'static str,
    switch: Switch,
    /// The consequence if the settings claim the ability and the store does not have it.
    harm: &'static str,
    /// The consequence if the broker knows that the store does not have the ability.
    instead: &'static str,
}

impl Texts {
    fn of(ability: Ability, switches: StoreSwitches) -> Self {
        match ability {
            Ability::PutIfMatch => Self {
                what: "If-Match on PUT",
                variable: "BROKER_S3_PUT_IF_MATCH",
                switch: switches.put_if_match,
                harm: "an upload with if_match overwrites any version",
                instead: "if_match is rejected except for multipart uploads",
            },
            Ability::CompleteIfNoneMatch => Self {
                what: "If-None-Match on CompleteMultipartUpload",
                variable: "BROKER_S3_COMPLETE_IF_NONE_MATCH",
                switch: switches.complete_if_none_match,
                harm: "of two multipart uploads at one path, the later one wins",
                instead: "the broker checks with a HEAD immediately before it completes an upload, and a write in between is lost",
            },
            Ability::DeleteIfMatch => Self {
                what: "If-Match on DELETE",
                variable: "BROKER_S3_DELETE_IF_MATCH",
                switch: switches.delete_if_match,
                harm: "a delete may remove an object that was written in the meantime",
                instead: "the broker checks with a HEAD immediately before it deletes an object, and a write in between is lost",
            },
            // The other two are not conditional writes, and never passed.
            Ability::PutIfNoneMatch | Ability::Checksums | Ability::HeadChecksums => Self {
                what: "If-None-Match on PUT",
                variable: "BROKER_S3_PUT_IF_NONE_MATCH",
                switch: switches.put_if_none_match,
                harm: "an old URL overwrites a proven dataset",
                instead: "a create checks whether its path is free, and an old URL that overwrites a proven dataset is detected (`drifted`) but not rejected",
            },
        }
    }
}

/// Combines the verdicts: the worst state, with the texts of all verdicts that have it.
fn combine(all: &[Verdict]) -> Verdict {
    let order = [State::Failed, State::Warning, State::Unknown];
    let worst = order
        .into_iter()
        .find(|state| all.iter().any(|one| one.state == *state));
    let worst = worst.unwrap_or(State::Ok);
    let of_it: Vec<_> = all.iter().filter(|one| one.state == worst).collect();
    let whys: Vec<_> = of_it.iter().map(|one| one.why.as_str()).collect();
    let mut fixes: Vec<_> = of_it.iter().filter_map(|one| one.fix.as_deref()).collect();
    fixes.dedup();
    Verdict {
        state: worst,
        why: whys.join("; "),
        fix: (worst != State::Ok).then(|| fixes.join("; ")),
    }
}
