//! How a file is divided into parts.

use std::sync::Arc;

use super::slice::{OpenFile, Slice};
use crate::client::api::wire::Multipart;
use crate::client::checksum::Algorithm;
use crate::client::error::{Error, Result};

/// How a file is divided: all parts have the same size, except the last one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartPlan {
    size: u64,
    part_size: u64,
    /// The number of parts.
    pub(super) count: u32,
    /// The checksum algorithm that the parts are signed with.
    pub(super) algorithm: Option<Algorithm>,
}

impl PartPlan {
    /// Checks that the session divides a file of this size correctly.
    ///
    /// # Errors
    /// [`Error::UnexpectedResponse`] if it does not, or if it requires checksums that cannot be
    /// computed here.
    pub(super) fn new(session: &Multipart, size: u64) -> Result<Self> {
        let unexpected =
            |what: &str| Error::UnexpectedResponse(format!("the broker's session {what}"));
        let (Some(part_size), Some(count)) = (session.part_size, session.part_count) else {
            return Err(unexpected("has no part size or part count"));
        };
        if part_size == 0 || u64::from(count) != size.div_ceil(part_size).max(1) {
            return Err(unexpected(
                "has a part count that does not fit the size of the file",
            ));
        }
        let algorithm = match session.part_checksums.as_deref() {
            None => None,
            Some(name) => Some(Algorithm::from_name(name).ok_or_else(|| {
                unexpected(&format!(
                    "requires {name} checksums, which this client cannot compute"
                ))
            })?),
        };
        Ok(Self {
            size,
            part_size,
            count,
            algorithm,
        })
    }

    /// The algorithm by which parts are compared: the one that they are signed with, or a default.
    pub(super) fn comparison_algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Crc64nvme)
    }

    /// The bytes of a part; `None` past the last part.
    pub(super) fn slice(&self, file: &Arc<OpenFile>, number: u32) -> Option<Slice> {
        if number > self.count {
            return None;
        }
        let offset = u64::from(number.checked_sub(1)?).checked_mul(self.part_size)?;
        Some(Slice::File {
            file: Arc::clone(file),
            offset,
            size: self.part_size.min(self.size.checked_sub(offset)?),
        })
    }
}
