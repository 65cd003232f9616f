//! Completes an upload in parts of an Uppy client.
//!
//! The client lists the parts that it has sent, with their ETags. They are compared with those that S3
//! has; only then the upload is acknowledged, with the sum of the parts as its size. What the
//! acknowledge does, it does here too: it completes the parts, proves the object and writes the event,
//! and a crash between any two steps leaves what it leaves there. The client, whose answer was lost,
//! asks again and gets the same answer.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::session::UppySession;
use crate::domain::mismatch::Mismatch;
use crate::domain::object::same_etag;
use crate::domain::part_plan::MAX_PARTS;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::Status;
use crate::domain::upload::{Upload, Verifier};
use crate::objects::multipart::UploadedPart;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::faults::Faults;
use crate::usecases::uploads::acknowledge::{Expected, acknowledge_to_end};
use crate::usecases::uploads::parts::in_parts;

/// The most differences that a refusal lists.
const MAX_MISMATCHES: usize = 10;

/// A part that the client says it has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPart {
    /// The number.
    pub number: u32,
    /// The ETag, with or without its quotes.
    pub etag: String,
}

/// An upload that was completed.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The upload, which is proven.
    pub upload: Upload,
    /// The address of its object, without a signature.
    pub location: String,
}

/// Completes and acknowledges an upload. `named` are all of its parts, in any order.
pub async fn complete(
    broker: &Arc<Broker>,
    principal: &Principal,
    session: &UppySession,
    named: &[NamedPart],
) -> Result<Completed> {
    let upload = broker.find_uppy_upload(principal, session).await?;
    check_named(named)?;
    if upload.was_acknowledged() {
        return broker.completed(upload).await;
    }
    let size = match upload.status {
        Status::Pending | Status::Expired => {
            let parts = broker.list_all_parts(&upload, in_parts(&upload)?).await?;
            // Without the parts, another call has completed them, and the object decides.
            (parts.map(|parts| compare(&upload, named, &parts))).transpose()?
        }
        // The acknowledge says what is wrong.
        _ => None,
    };
    // An object that is too large fails the upload; the acknowledge does that.
    if let Some(size) = size
        && size <= broker.max_size_of(&upload).await?
    {
        broker.count_parts(&upload, size).await?;
    }
    let expected = Expected {
        size,
        ..Expected::default()
    };
    let upload = acknowledge_to_end(broker, upload, expected, Verifier::Uppy).await?;
    broker.completed(upload).await
}

impl Broker {
    async fn completed(&self, upload: Upload) -> Result<Completed> {
        let bucket = self.bucket(&upload.bucket).await?;
        let location = bucket.signer.object_url(&upload.key);
        Ok(Completed { upload, location })
    }
}

fn check_named(named: &[NamedPart]) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    if named.is_empty() {
        faults.add("/parts", "expected at least one part");
    }
    let mut seen = HashSet::new();
    for (at, part) in named.iter().enumerate() {
        if !(1..=MAX_PARTS).contains(&part.number) {
            let detail = format!("must be a number from 1 to {MAX_PARTS}");
            faults.add(&format!("/parts/{at}/PartNumber"), detail);
        } else if !seen.insert(part.number) {
            let detail = format!("part {} is listed twice", part.number);
            faults.add(&format!("/parts/{at}/PartNumber"), detail);
        }
        faults.etag(&format!("/parts/{at}/ETag"), &part.etag);
    }
    faults.into_result()
}

/// Compares the parts that the client lists with those that S3 has, and returns their sum in bytes.
fn compare(upload: &Upload, named: &[NamedPart], parts: &[UploadedPart]) -> Result<u64, Refusal> {
    let mut stored: HashMap<u32, &UploadedPart> =
        parts.iter().map(|part| (part.number, part)).collect();
    let (mut missing, mut mismatches, mut sum) = (Vec::new(), Vec::new(), 0_u64);
    for part in named {
        match stored.remove(&part.number) {
            None => missing.push(part.number),
            Some(found) if !same_etag(&found.etag, &part.etag) => mismatches.push(Mismatch {
                field: "etag",
                expected: format!("part {} with {}", part.number, part.etag.trim_matches('"')),
                found: format!("part {} with {}", part.number, found.etag.trim_matches('"')),
            }),
            Some(found) => sum = sum.saturating_add(found.size),
        }
    }
    if !missing.is_empty() {
        missing.sort_unstable();
        return Err(parts_missing(upload, &missing));
    }
    // S3 would leave these out, and the object would be another one than the client sent.
    mismatches.extend(stored.into_keys().map(|number| Mismatch {
        field: "parts",
        expected: format!("no part {number}"),
        found: format!("part {number}"),
    }));
    if mismatches.is_empty() {
        return Ok(sum);
    }
    mismatches.truncate(MAX_MISMATCHES);
    let texts: Vec<_> = mismatches.iter().map(ToString::to_string).collect();
    Err(Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        mismatches,
        ..Refusal::new(
            Code::ObjectMismatch,
            format!("{}. The parts were not completed.", texts.join("; ")),
        )
    })
}

fn parts_missing(upload: &Upload, missing: &[u32]) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        status: Some(upload.status),
        missing: missing.iter().map(|number| (*number, *number)).collect(),
        ..Refusal::new(
            Code::PartsMissing,
            format!(
                "{} parts have not arrived. Send them, then complete the upload again.",
                missing.len()
            ),
        )
    }
}
