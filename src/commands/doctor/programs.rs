//! `programs`: does this machine have the programs that the processors of the rules start?

use super::super::programs;
use super::verdict::Verdict;
use crate::config::Role;
use crate::config::Settings;
use crate::domain::rules::ProcessingRules;

pub(super) fn check_programs(settings: &Settings, rules: &ProcessingRules) -> Verdict {
    let missing = programs::missing_for(rules, &settings.worker.pdf_engine);
    let Some((processor, names)) = missing.first() else {
        return Verdict::ok("the processors of the rules have all programs that they need");
    };
    let why = format!(
        "{processor} needs {}, which PATH does not have",
        names.join(" and ")
    );
    match settings.roles.has(Role::Worker) {
        true => Verdict::failed(why, programs::ADVICE),
        // The jobs run on other machines.
        false => Verdict::warning(format!("{why}; the workers need it"), programs::ADVICE),
    }
}
