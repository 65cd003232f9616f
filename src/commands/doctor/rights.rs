//! `rights`: may the broker do what it does? Writing, reading and removing are tried out by the
//! probes; this is the rest of `doctor --policy`.

use super::super::output::causes;
use super::patient::Patient;
use super::verdict::Verdict;
use crate::objects::probe::FOLDER;
use crate::objects::{Listing, StoreError};

pub(super) async fn check(patient: &Patient) -> Verdict {
    let listing = Listing {
        prefix: FOLDER,
        folders: false,
        limit: 1,
        token: None,
        after: None,
    };
    let list = "allow s3:ListBucket on the bucket (`doctor --policy`)";
    if let Err(error) = patient.store.list(listing).await {
        return Verdict::failed(
            format!("the bucket cannot be listed: {}", causes(&error)),
            list,
        );
    }
    // Without s3:ListBucket S3 answers 403 here.
    if let Err(error) = patient.store.head(&format!("{FOLDER}absent")).await {
        let why = format!(
            "an object that is not there cannot be told: {}",
            causes(&error)
        );
        return Verdict::failed(why, list);
    }
    match patient.store.list_multipart(FOLDER, 1, None).await {
        Ok(_) => Verdict::ok("listing, and telling what is not there, are allowed"),
        Err(StoreError::Refused { answer, .. }) => Verdict::warning(
            format!("multipart uploads cannot be listed ({answer}): the janitor leaves stale ones"),
            "allow s3:ListBucketMultipartUploads (`doctor --policy`), or set a lifecycle rule",
        ),
        Err(StoreError::Failed {
            answer: Some(answer),
            ..
        }) => Verdict::unknown(
            format!("whether multipart uploads can be listed is unknown ({answer})"),
            "a store without that listing leaves stale ones to a lifecycle rule of its own",
        ),
        Err(error) => Verdict::fault(&error, "see the check `bucket`"),
    }
}
