//! Division of an object into parts.
//!
//! All parts except the last have the same size. Some stores (R2) require that, and a client can
//! compute the offset of a part. If an object cannot be divided as requested, the error names the
//! field at fault and its valid range.

mod error;
mod limits;

use std::ops::RangeInclusive;

pub use self::error::{PartError, PlanError};
pub use self::limits::{MAX_OBJECT_SIZE, MAX_PART_SIZE, MAX_PARTS, MIB, MIN_PART_SIZE, PartLimits};

/// A part of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The part number, starting at 1.
    pub number: u32,
    /// The offset of its first byte in the object.
    pub offset: u64,
    /// The size in bytes.
    pub size: u64,
}

/// The division of one object into parts. The plan is open-ended if the size is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlan {
    part_size: u64,
    limits: PartLimits,
    /// The size of the object and the number of parts, if the size is known.
    whole: Option<(u64, u32)>,
}

impl PartPlan {
    /// Divides `size` bytes into parts of `wanted_part_size`, or of a default size that fits.
    /// Without a size the plan is open-ended: the client chooses the size of each part.
    ///
    /// The plan is deterministic: the same size with the [`part_size`](Self::part_size) of a plan
    /// gives the same plan.
    ///
    /// # Errors
    /// The store would refuse the parts or the object.
    pub fn new(
        size: Option<u64>,
        wanted_part_size: Option<u64>,
        limits: PartLimits,
    ) -> Result<Self, PlanError> {
        let (min, max) = (limits.min_part_size, limits.max_part_size);
        if wanted_part_size.is_some_and(|wanted| !(min..=max).contains(&wanted)) {
            return Err(PlanError::PartSize { min, max });
        }
        let most = (limits.max_size).min(max.saturating_mul(limits.max_parts.into()));
        if size.is_some_and(|size| size > most) {
            return Err(PlanError::TooLarge { max: most });
        }
        let least = limits.smallest_part_size(size.unwrap_or_default());
        let part_size =
            wanted_part_size.unwrap_or_else(|| limits.default_part_size.clamp(min, max).max(least));
        let whole = size
            .map(|size| Ok((size, count(size, part_size, least, &limits)?)))
            .transpose()?;
        Ok(Self {
            part_size,
            limits,
            whole,
        })
    }

    /// The size in bytes of every part except the last. In an open-ended plan it is the suggested
    /// size.
    pub const fn part_size(&self) -> u64 {
        self.part_size
    }

    /// The size of the object in bytes; `None` in an open-ended plan.
    pub fn size(&self) -> Option<u64> {
        self.whole.map(|(size, _)| size)
    }

    /// The number of parts; `None` in an open-ended plan. An empty object has one empty part.
    pub fn count(&self) -> Option<u32> {
        self.whole.map(|(_, count)| count)
    }

    /// The largest allowed part number.
    pub fn last(&self) -> u32 {
        self.count().unwrap_or(self.limits.max_parts)
    }

    /// The part with this number; `None` if there is none, and always in an open-ended plan.
    pub fn part(&self, number: u32) -> Option<Part> {
        let (size, count) = self.whole.filter(|(_, count)| number <= *count)?;
        let offset = self.part_size.checked_mul(number.checked_sub(1)?.into())?;
        Some(Part {
            number,
            offset,
            size: if number < count {
                self.part_size
            } else {
                size.checked_sub(offset)?
            },
        })
    }

    /// The parts whose numbers are in this range, in order.
    pub fn parts(
        &self,
        numbers: RangeInclusive<u32>,
    ) -> impl ExactSizeIterator<Item = Part> + use<> {
        let first = (*numbers.start()).max(1);
        let last = (*numbers.end()).min(self.count().unwrap_or_default());
        let many = last.saturating_add(1).saturating_sub(first);
        let (plan, many) = (*self, usize::try_from(many).unwrap_or_default());
        (0..many).map(move |at| {
            let number = first.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
            // Clamped above, so the default is never taken.
            plan.part(number).unwrap_or(Part {
                number,
                offset: 0,
                size: 0,
            })
        })
    }

    /// Checks that a part with this number and size fits into the plan.
    ///
    /// In an open-ended plan a part may be smaller than the minimum of the store, because it may be
    /// the last part; if it is not, the store refuses to complete the upload. Only the first part
    /// may be empty.
    ///
    /// # Errors
    /// The number or the size is not allowed.
    pub fn validate_part(&self, number: u32, size: u64) -> Result<(), PartError> {
        let last = self.last();
        if !(1..=last).contains(&number) {
            return Err(PartError::Number { last });
        }
        if let Some(Part { size: planned, .. }) = self.part(number) {
            return match size == planned {
                true => Ok(()),
                false => Err(PartError::NotAsPlanned { planned }),
            };
        }
        let max = self.limits.max_part_size;
        match size > max || (size == 0 && number > 1) {
            true => Err(PartError::Size { max }),
            false => Ok(()),
        }
    }

    /// The part numbers that are missing from `uploaded`, as inclusive ranges in order. `uploaded`
    /// must be sorted. In an open-ended plan only the gaps before the last uploaded part are known.
    pub fn missing(&self, uploaded: impl IntoIterator<Item = u32>) -> Vec<(u32, u32)> {
        let mut missing = Vec::new();
        let mut next = 1_u32;
        for number in uploaded {
            if number > self.last() {
                break;
            }
            if number > next {
                missing.push((next, number.saturating_sub(1)));
            }
            next = next.max(number.saturating_add(1));
        }
        if let Some(count) = self.count().filter(|count| next <= *count) {
            missing.push((next, count));
        }
        missing
    }
}

/// The number of parts, if the store allows as many.
fn count(size: u64, part_size: u64, least: u64, limits: &PartLimits) -> Result<u32, PlanError> {
    let parts = size.div_ceil(part_size).max(1);
    u32::try_from(parts)
        .ok()
        .filter(|parts| *parts <= limits.max_parts)
        .ok_or(PlanError::TooManyParts {
            parts,
            max_parts: limits.max_parts,
            least,
        })
}
