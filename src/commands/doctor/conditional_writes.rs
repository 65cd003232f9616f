//! `conditional-writes`: does the store hold writes and deletes to their conditions, and as the
//! settings say?
//!
//! What it does not do is no fault by itself: the broker finds that out too, and does what it can
//! instead. A fault is a setting that promises more than the store does.

use super::verdict::{State, Verdict};
use crate::config::{StoreSwitches, Switch};
use crate::domain::abilities::{Ability, Support};
use crate::objects::probe::{AbilityReport, Probe, ProbeError};

pub(super) async fn examine(
    switches: StoreSwitches,
    probe: &Probe<'_>,
) -> Result<Verdict, ProbeError> {
    let tried = probe.ability_probe().run().await?;
    let all = Ability::CONDITIONAL_WRITES.map(|ability| of(ability, switches, &tried));
    Ok(together(&all))
}

/// A verdict on one of them; where it is ok, `why` is what the store does.
fn of(ability: Ability, switches: StoreSwitches, tried: &AbilityReport) -> Verdict {
    let words = Words::of(ability, switches);
    let (what, variable) = (words.what, words.variable);
    let answers = format!("{what} ({})", tried.answers(ability));
    match (words.switch, tried.abilities.support(ability)) {
        (_, Support::Unknown) => Verdict::unknown(
            format!("whether the store honours {answers} is unknown"),
            format!("allow s3:PutObject and s3:DeleteObject, or say it by {variable}"),
        ),
        (Switch::Auto | Switch::On, Support::Yes) | (Switch::Auto, Support::Unquoted) => {
            Verdict::ok(format!("{what} is honoured"))
        }
        (Switch::Unquoted, Support::Unquoted) => Verdict::ok(format!("{what} is honoured")),
        (Switch::On, Support::Unquoted) | (Switch::Unquoted, Support::Yes) => Verdict::failed(
            format!(
                "the store wants the ETags of {answers} written otherwise than {variable} says"
            ),
            format!("set {variable}=auto"),
        ),
        (Switch::On | Switch::Unquoted, Support::No) => Verdict::failed(
            format!(
                "the store does not honour {answers}, and {variable} says that it does: {}",
                words.harm
            ),
            format!(
                "set {variable}=auto, so that the broker does what it can instead; or use a store that honours it"
            ),
        ),
        (Switch::Auto, Support::No) => Verdict::warning(
            format!("the store does not honour {answers}: {}", words.instead),
            "nothing to set; a store that honours it closes the gap",
        ),
        (Switch::Off, Support::Yes | Support::Unquoted) => Verdict::warning(
            format!("{what} is off by the settings, though the store honours it"),
            format!("set {variable}=auto"),
        ),
        (Switch::Off, Support::No) => Verdict::ok(format!(
            "{what} is off by the settings, and the store does not honour it"
        )),
    }
}

/// How one of them is called, what speaks of it, and what it costs to do without.
struct Words {
    what: &'static str,
    variable: &'static str,
    switch: Switch,
    /// Where the settings say that it is held, and it is not.
    harm: &'static str,
    /// Where the broker knows.
    instead: &'static str,
}

impl Words {
    fn of(ability: Ability, switches: StoreSwitches) -> Self {
        match ability {
            Ability::PutIfMatch => Self {
                what: "If-Match on PUT",
                variable: "BROKER_S3_PUT_IF_MATCH",
                switch: switches.put_if_match,
                harm: "an upload with if_match writes over any version",
                instead: "if_match is refused but for uploads in parts",
            },
            Ability::CompleteIfNoneMatch => Self {
                what: "If-None-Match on CompleteMultipartUpload",
                variable: "BROKER_S3_COMPLETE_IF_NONE_MATCH",
                switch: switches.complete_if_none_match,
                harm: "of two uploads in parts at one path the later one wins",
                instead: "the broker checks with a HEAD right before it completes, and a write in that moment is lost",
            },
            Ability::DeleteIfMatch => Self {
                what: "If-Match on DELETE",
                variable: "BROKER_S3_DELETE_IF_MATCH",
                switch: switches.delete_if_match,
                harm: "a delete may remove what was written meanwhile",
                instead: "the broker checks with a HEAD right before it deletes, and a write in that moment is lost",
            },
            // The others are no conditional writes.
            Ability::PutIfNoneMatch | Ability::Checksums | Ability::HeadChecksums => Self {
                what: "If-None-Match on PUT",
                variable: "BROKER_S3_PUT_IF_NONE_MATCH",
                switch: switches.put_if_none_match,
                harm: "an old URL writes over a proven dataset",
                instead: "a create checks what stands at its path, and an old URL that writes over a proven dataset is seen (`drifted`), not refused",
            },
        }
    }
}

/// The worst of them, with all that are as bad.
fn together(all: &[Verdict]) -> Verdict {
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
