//! How an object is cut into parts.
//!
//! All parts are equal but the last, which some stores demand (R2) and which lets a client find
//! its place in a file by arithmetic alone. What cannot fit is an error that names the field at
//! fault and says what would be right.

mod error;
mod limits;

use std::ops::RangeInclusive;

pub use self::error::{PartError, PlanError};
pub use self::limits::{MAX_OBJECT_SIZE, MAX_PART_SIZE, MAX_PARTS, MIB, MIN_PART_SIZE, PartLimits};

/// One part of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From 1 on.
    pub number: u32,
    /// Where its bytes begin in the object.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
}

/// How one object is cut, or that its end is still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlan {
    part_size: u64,
    limits: PartLimits,
    /// Size and number of parts, where the size is known.
    whole: Option<(u64, u32)>,
}

impl PartPlan {
    /// Cuts `size` bytes into parts of `wanted_part_size`, or of a size that fits. Without a size
    /// the plan is open-ended: the client says the size of each part.
    ///
    /// The same size with the part size of a plan makes the same plan again.
    ///
    /// # Errors
    /// Where the store would refuse the parts, or the object.
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
        let least = limits.least_part_size(size.unwrap_or_default());
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

    /// Bytes of every part but the last; of an open-ended plan, the size to begin with.
    pub const fn part_size(&self) -> u64 {
        self.part_size
    }

    /// Bytes of the object; `None` where its end is open.
    pub fn size(&self) -> Option<u64> {
        self.whole.map(|(size, _)| size)
    }

    /// How many parts; `None` where the end is open. An empty object has one, which is empty.
    pub fn count(&self) -> Option<u32> {
        self.whole.map(|(_, count)| count)
    }

    /// The last number that a part may have.
    pub fn last(&self) -> u32 {
        self.count().unwrap_or(self.limits.max_parts)
    }

    /// The part of this number; `None` past the ends, and for all parts of an open-ended plan.
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

    /// The parts with these numbers, in order, as far as there are any.
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

    /// Whether a part of this number and size belongs here.
    ///
    /// In an open-ended plan a part may be smaller than the store's minimum, as it may be the last
    /// one; the store itself refuses to complete where it is not. Only the first may be empty.
    ///
    /// # Errors
    /// What is wrong with it, by field.
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

    /// The numbers that are not there, as ranges with both ends, in order. `uploaded` is sorted.
    /// In an open-ended plan only the gaps before the last part are known.
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

/// How many parts there are, where they are not too many.
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
