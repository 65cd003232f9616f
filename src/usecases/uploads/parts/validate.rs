//! Validates that the requested parts belong to the upload.

use std::collections::HashSet;

use super::requested::{RequestedPart, RequestedParts};
use crate::domain::checksum::{Algorithm, Checksum};
use crate::domain::part_plan::{MAX_PARTS, PartPlan};
use crate::domain::refusal::Refusal;
use crate::usecases::faults::{Faults, checksum};
use crate::usecases::uploads::parts::sign::{INITIAL_PARTS, PartToSign, PartsToSign};

/// Requested parts that belong to the upload.
pub(super) struct ValidParts {
    pub(super) parts: SelectedParts,
    /// The algorithm of their checksums, if they have some.
    pub(super) algorithm: Option<Algorithm>,
}

/// The requested parts.
pub(super) enum SelectedParts {
    /// Listed one by one: with their sizes, if the upload has no declared size, or with checksums.
    Listed(Vec<PartToSign>),
    /// As the part plan defines them.
    Planned(PartsToSign),
}

/// Validates the request against the plan, the algorithm of the parts' checksums, and the largest
/// object in bytes.
pub(super) fn validate(
    requested: RequestedParts,
    plan: PartPlan,
    algorithm: Option<Algorithm>,
    max_size: u64,
) -> Result<ValidParts, Refusal> {
    let mut validation = Validation {
        faults: Faults::default(),
        plan,
        seen: HashSet::new(),
        algorithm,
        max_size,
    };
    let parts = match requested {
        RequestedParts::Parts(parts) => SelectedParts::Listed(validation.parts(parts)),
        _ if plan.size().is_none() => {
            let detail = "is missing: this upload has no declared size, so its parts are requested with their sizes: {\"parts\":[{\"part_number\":1,\"size\":16777216}]}";
            return Err(Refusal::field("/parts", detail));
        }
        _ if algorithm.is_some() => {
            let detail = "is missing: the parts of this upload have checksums, so they are requested with them: {\"parts\":[{\"part_number\":1,\"checksum\":{…}}]}";
            return Err(Refusal::field("/parts", detail));
        }
        RequestedParts::Numbers(numbers) => SelectedParts::Planned(validation.numbers(numbers)),
        RequestedParts::Range { from, count } => {
            SelectedParts::Planned(validation.range(from, count))
        }
    };
    validation.faults.into_result()?;
    Ok(ValidParts {
        parts,
        algorithm: validation.algorithm,
    })
}

/// The state of a validation.
struct Validation {
    faults: Faults,
    plan: PartPlan,
    seen: HashSet<u32>,
    algorithm: Option<Algorithm>,
    max_size: u64,
}

impl Validation {
    fn numbers(&mut self, numbers: Vec<u32>) -> PartsToSign {
        if !self.check_count("/part_numbers", numbers.len()) {
            return PartsToSign::none();
        }
        for (at, number) in numbers.iter().enumerate() {
            if let Err(detail) = self.number(*number) {
                self.faults.add(&format!("/part_numbers/{at}"), detail);
            }
        }
        let plan = self.plan;
        let parts = (numbers.into_iter()).filter_map(move |number| plan.part(number));
        PartsToSign::listed(parts.map(PartToSign::from))
    }

    fn range(&mut self, from: u32, count: Option<u32>) -> PartsToSign {
        let last = self.plan.last();
        if !(1..=last).contains(&from) {
            let detail = format!("must be 1 to {last}, found {from}");
            self.faults.add("/from", detail);
        }
        let most = last.saturating_sub(from).saturating_add(1);
        let count = count.unwrap_or(INITIAL_PARTS.min(most));
        if !(1..=most).contains(&count) {
            let detail = format!("must be 1 to {most}: the last part is {last}, found {count}");
            self.faults.add("/count", detail);
        }
        PartsToSign::range(
            self.plan,
            from..=from.saturating_add(count).saturating_sub(1),
        )
    }

    fn parts(&mut self, asked: Vec<RequestedPart>) -> Vec<PartToSign> {
        if !self.check_count("/parts", asked.len()) {
            return Vec::new();
        }
        let mut parts = Vec::with_capacity(asked.len());
        for (at, part) in asked.into_iter().enumerate() {
            if let Err(detail) = self.number(part.number) {
                self.faults.add(&format!("/parts/{at}/part_number"), detail);
            }
            let size = self.size(part.number, part.size);
            let size = size.map_err(|detail| self.faults.add(&format!("/parts/{at}/size"), detail));
            let checksum = self.checksum(at, part.checksum);
            parts.extend(size.map(|size| PartToSign {
                number: part.number,
                offset: self.plan.part(part.number).map(|planned| planned.offset),
                size,
                checksum,
            }));
        }
        parts
    }

    /// Whether the number of parts is permitted. If not, the parts are not validated.
    fn check_count(&mut self, pointer: &str, count: usize) -> bool {
        let fits = count > 0 && u32::try_from(count).is_ok_and(|count| count <= MAX_PARTS);
        if !fits {
            let detail = format!("expected 1 to {MAX_PARTS} parts, found {count}");
            self.faults.add(pointer, detail);
        }
        fits
    }

    fn number(&mut self, number: u32) -> Result<(), String> {
        let last = self.plan.last();
        if !(1..=last).contains(&number) {
            return Err(format!("must be 1 to {last}, found {number}"));
        }
        match self.seen.insert(number) {
            true => Ok(()),
            false => Err(format!("part {number} is requested twice")),
        }
    }

    fn size(&self, number: u32, size: Option<u64>) -> Result<u64, String> {
        let planned = self.plan.part(number).map(|planned| planned.size);
        let size = (size.or(planned)).ok_or("is missing: this upload has no declared size")?;
        if size > self.max_size {
            return Err(format!("must be at most {} bytes", self.max_size));
        }
        match self.plan.validate_part(number, size) {
            Err(error) if error.field() == "size" => Err(format!("{error}, found {size}")),
            // A fault of the number is reported separately.
            _ => Ok(size),
        }
    }

    /// Either all parts of a request have a checksum of the same algorithm, or none has one.
    fn checksum(&mut self, at: usize, asked: Option<(String, String)>) -> Option<Checksum> {
        let pointer = |end: &str| format!("/parts/{at}/checksum{end}");
        let Some((name, value)) = asked else {
            if let Some(expected) = self.algorithm {
                let detail = format!("is missing: expected {}", expected.as_str());
                self.faults.add(&pointer(""), detail);
            }
            return None;
        };
        let checksum = match checksum(&name, &value, Checksum::new) {
            Ok(checksum) => checksum,
            Err((end, detail)) => {
                self.faults.add(&pointer(end), detail);
                return None;
            }
        };
        match self.algorithm {
            None if at == 0 => self.algorithm = Some(checksum.algorithm()),
            None => {
                let detail =
                    "the parts before it have none; either all parts have one, or none has";
                self.faults.add(&pointer(""), detail);
            }
            Some(expected) if expected != checksum.algorithm() => {
                let detail = format!("expected {}, like the other parts", expected.as_str());
                self.faults.add(&pointer("/algorithm"), detail);
            }
            Some(_) => {}
        }
        Some(checksum)
    }
}
