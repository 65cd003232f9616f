//! `programs`: does this machine have the programs that the processors of the rules start?

use super::super::programs;
use super::verdict::Verdict;
use crate::config::Role;
use crate::config::Settings;
use crate::domain::rules::ProcessingRules;

pub(super) fn check_programs(settings: &Settings, rules: &ProcessingRules) -> Verdict {
    let missing = programs::missing_for(rules, &settings.worker.pdf_engine);
    if missing.is_empty() {
        return Verdict::ok("the processors of the rules have all programs that they need");
    }
    let needs = missing.iter().map(|(processor, names)| {
        let names = names.join(" and ");
        format!("{processor} needs {names}")
    });
    let needs: Vec<String> = needs.collect();
    let why = format!("PATH lacks programs: {}", needs.join("; "));
    match settings.roles.has(Role::Worker) {
        true => Verdict::failed(why, programs::ADVICE),
        // The jobs run on other machines.
        false => Verdict::warning(
            format!("{why}; only the workers must have them"),
            programs::ADVICE,
        ),
    }
}
