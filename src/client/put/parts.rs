//! Sends a file in parts: those that the store lacks, several at a time.

use std::sync::Arc;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::item::Item;
use super::plan::PartPlan;
use super::send::Sending;
use super::slice::OpenFile;
use super::state::UploadState;
use super::uploaded_parts::UploadedParts;
use super::uploader::Uploader;
use crate::client::api::wire::{Checksum, Expected, Multipart, Upload};
use crate::client::checksum::combine;
use crate::client::error::{Error, Result};
use crate::client::progress::Transfer;

/// How often the missing parts are sent again because the broker found some missing or changed.
const MAX_ROUNDS: u32 = 3;

/// How much of a file was sent by this run and by earlier ones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// The number of parts that earlier runs sent.
    pub(super) resumed_parts: u32,
    /// The number of bytes that this run sent and the store accepted.
    pub(super) sent_bytes: u64,
}

impl Uploader<'_> {
    /// Sends the parts that the store lacks, and has the broker complete the object. `resumed` says
    /// whether an earlier run may have sent some of them. The parts of a new session are not
    /// listed, because listing needs one more scope than sending.
    pub(super) async fn in_parts(
        &self,
        item: &Item,
        (session, resumed): (&Upload, bool),
        multipart: &Multipart,
        state: &mut UploadState,
        transfer: &Arc<Transfer>,
    ) -> Result<(Upload, Counts)> {
        let file = item.open()?;
        let plan = PartPlan::new(multipart, item.stamp.size)?;
        let mut counts = Counts::default();
        let mut uploaded = match resumed {
            true => {
                self.find_uploaded_parts(session.id, &plan, &file, state)
                    .await?
            }
            false => UploadedParts::new(),
        };
        for round in 1.. {
            if round == 1 {
                counts.resumed_parts = u32::try_from(uploaded.len()).unwrap_or(u32::MAX);
                let bytes = uploaded
                    .keys()
                    .filter_map(|number| plan.slice(&file, *number));
                transfer.advance(bytes.map(|slice| slice.size()).sum());
                self.report_resumed(item, counts.resumed_parts, plan.count);
            }
            counts.sent_bytes += self
                .send_missing(session, &plan, &file, &mut uploaded, state, transfer)
                .await?;
            if !file.is_unchanged(&item.stamp)? {
                return Err(file.changed());
            }
            let expected = Expected {
                checksum: whole(&plan, &file, &uploaded),
                size: Some(item.stamp.size),
                etag: None,
            };
            match self.context.api.acknowledge(session.id, &expected).await {
                Ok(proven) => return Ok((proven, counts)),
                Err(error) if round < MAX_ROUNDS && can_be_repaired(&error) => {
                    let path = &item.path;
                    let message = format!("{path}: {error}: sending these parts again");
                    self.context.output.note(&message);
                    let missing = error.problem().map_or(&[][..], |problem| &problem.missing);
                    if missing.is_empty() {
                        uploaded = self
                            .find_uploaded_parts(session.id, &plan, &file, state)
                            .await?;
                    }
                    for (first, last) in missing {
                        uploaded.retain(|number, _| !(first..=last).contains(&number));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Failed("the parts could not be completed".to_owned()))
    }

    /// Sends the missing parts. Returns how many bytes the store accepted.
    async fn send_missing(
        &self,
        session: &Upload,
        plan: &PartPlan,
        file: &Arc<OpenFile>,
        uploaded: &mut UploadedParts,
        state: &mut UploadState,
        transfer: &Arc<Transfer>,
    ) -> Result<u64> {
        let missing: Vec<u32> = (1..=plan.count)
            .filter(|number| !uploaded.contains_key(number))
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
            uploaded.insert(sent.part_number, sent.checksum.clone());
            state.record_part(sent)?;
            bytes += size;
        }
        Ok(bytes)
    }

    fn report_resumed(&self, item: &Item, uploaded: u32, count: u32) {
        if uploaded > 0 {
            let path = &item.path;
            let message = format!("{path}: resuming, {uploaded} of {count} parts are uploaded");
            self.context.output.note(&message);
        }
    }
}

/// The checksum of the whole file, if the algorithm can combine the checksums of parts.
fn whole(plan: &PartPlan, file: &Arc<OpenFile>, uploaded: &UploadedParts) -> Option<Checksum> {
    let pieces = uploaded.iter().map(|(number, checksum)| {
        let size = plan.slice(file, *number)?.size();
        Some((checksum, size))
    });
    let pieces: Option<Vec<_>> = pieces.collect();
    combine(plan.algorithm?, pieces?)
}

/// Whether sending parts again may help: some were lost or changed after they had been listed.
fn can_be_repaired(error: &Error) -> bool {
    let Some(problem) = error.problem() else {
        return false;
    };
    match problem.code.as_str() {
        "parts-missing" => true,
        "object-mismatch" => problem.upload_status.as_deref() == Some("Pending"),
        _ => false,
    }
}
