//! Sends a file in parts, several at a time, those that are not there yet.

use std::sync::Arc;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::Put;
use super::item::Item;
use super::send::Sending;
use super::slice::{Opened, Slice};
use super::state::State;
use super::there::There;
use crate::client::api::wire::{Acknowledge, Checksum, Multipart, Upload};
use crate::client::checksum::{Algorithm, joined};
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;

/// How often parts are looked at anew because the broker found some missing or changed.
const ROUNDS: u32 = 3;

/// How a file is cut: all parts are equal but the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    size: u64,
    part_size: u64,
    count: u32,
    /// The one that the parts are signed with.
    algorithm: Option<Algorithm>,
}

/// What was sent of a file, and what was there before.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Parts that an earlier run sent.
    pub(super) resumed_parts: u32,
    /// Bytes that this run sent, and the store took.
    pub(super) sent_bytes: u64,
}

impl Plan {
    fn of(session: &Multipart, size: u64) -> Result<Self> {
        let strange = |what: &str| Error::Strange(format!("the broker's session {what}"));
        let (Some(part_size), Some(count)) = (session.part_size, session.part_count) else {
            return Err(strange("does not say how the file is cut"));
        };
        if part_size == 0 || u64::from(count) != size.div_ceil(part_size).max(1) {
            return Err(strange("cuts the file wrongly"));
        }
        let algorithm = match session.part_checksums.as_deref() {
            None => None,
            Some(name) => Some(
                Algorithm::named(name)
                    .ok_or_else(|| strange(&format!("wants {name}, which is not known here")))?,
            ),
        };
        Ok(Self {
            size,
            part_size,
            count,
            algorithm,
        })
    }

    /// The algorithm by which parts are compared here: the one that they are signed with, or one
    /// of our own.
    pub(super) fn own_algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Crc64nvme)
    }

    /// The bytes of a part; `None` past the end.
    pub(super) fn slice(&self, file: &Arc<Opened>, number: u32) -> Option<Slice> {
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

impl Put<'_> {
    /// Sends what the store has not, and has the broker make an object of the parts. `resumed`
    /// says whether an earlier run may have sent some. Of a session that this run made the parts
    /// are not listed, as that takes a scope more than sending them.
    pub(super) async fn in_parts(
        &self,
        item: &Item,
        (session, resumed): (&Upload, bool),
        multipart: &Multipart,
        state: &mut State,
        transfer: &Arc<Transfer>,
    ) -> Result<(Upload, Tally)> {
        let file = item.open()?;
        let plan = Plan::of(multipart, item.stamp.size)?;
        let mut tally = Tally::default();
        let mut there = match resumed {
            true => self.there(session.id, &plan, &file, state).await?,
            false => There::new(),
        };
        for round in 1.. {
            if round == 1 {
                tally.resumed_parts = u32::try_from(there.len()).unwrap_or(u32::MAX);
                let bytes = there.keys().filter_map(|number| plan.slice(&file, *number));
                transfer.advance(bytes.map(|slice| slice.size()).sum());
                self.tell_resumed(item, tally.resumed_parts, plan.count);
            }
            tally.sent_bytes += self
                .send_missing(session, &plan, &file, &mut there, state, transfer)
                .await?;
            if !file.is_unchanged(&item.stamp)? {
                return Err(file.changed());
            }
            let claims = Acknowledge {
                checksum: whole(&plan, &file, &there),
                size: Some(item.stamp.size),
                etag: None,
            };
            match self.context.api.acknowledge(session.id, &claims).await {
                Ok(proven) => return Ok((proven, tally)),
                Err(error) if round < ROUNDS && can_be_mended(&error) => {
                    let path = &item.path;
                    let said = format!("{path}: {error}: those parts are sent again");
                    self.context.output.note(&said);
                    let missing = error.problem().map_or(&[][..], |problem| &problem.missing);
                    if missing.is_empty() {
                        there = self.there(session.id, &plan, &file, state).await?;
                    }
                    for (first, last) in missing {
                        there.retain(|number, _| !(first..=last).contains(&number));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Failed("parts could not be counted".to_owned()))
    }

    /// Returns how many bytes the store took.
    async fn send_missing(
        &self,
        session: &Upload,
        plan: &Plan,
        file: &Arc<Opened>,
        there: &mut There,
        state: &mut State,
        transfer: &Arc<Transfer>,
    ) -> Result<u64> {
        let missing: Vec<u32> = (1..=plan.count)
            .filter(|number| !there.contains_key(number))
            .collect();
        let sending = missing.into_iter().filter_map(|number| {
            Some(Sending {
                id: session.id,
                number,
                slice: plan.slice(file, number)?,
                open: false,
                algorithm: plan.algorithm,
            })
        });
        let sending = stream::iter(sending).map(|part| async move {
            let sent = self.send_part(&part, transfer).await?;
            Ok::<_, Error>((sent, part.slice.size()))
        });
        let mut sending = std::pin::pin!(sending.buffer_unordered(self.parallel));
        let mut bytes = 0_u64;
        while let Some((sent, size)) = sending.try_next().await? {
            there.insert(sent.part_number, sent.checksum.clone());
            state.sent(sent)?;
            bytes += size;
        }
        Ok(bytes)
    }

    fn tell_resumed(&self, item: &Item, there: u32, count: u32) {
        if there > 0 {
            let path = &item.path;
            let said = format!("{path}: goes on, {there} of {count} parts are there");
            self.context.output.note(&said);
        }
    }
}

/// The checksum of the whole, where the algorithm has one.
fn whole(plan: &Plan, file: &Arc<Opened>, there: &There) -> Option<Checksum> {
    let pieces = there.iter().map(|(number, checksum)| {
        let size = plan.slice(file, *number)?.size();
        Some((checksum, size))
    });
    let pieces: Option<Vec<_>> = pieces.collect();
    joined(plan.algorithm?, pieces?)
}

/// Whether parts went or changed between our last look and the broker's.
fn can_be_mended(error: &Error) -> bool {
    let Some(problem) = error.problem() else {
        return false;
    };
    match problem.code.as_str() {
        "parts-missing" => true,
        "object-mismatch" => problem.upload_status.as_deref() == Some("Pending"),
        _ => false,
    }
}
