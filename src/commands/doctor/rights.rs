//! `rights`: does the broker have its permissions? The probes test writing, reading and deleting;
//! this check tests the rest of `doctor --policy`.

use super::super::output::causes;
use super::context::CheckContext;
use super::verdict::Verdict;
use crate::objects::probe::FOLDER;
use crate::objects::{Listing, StoreError};

pub(super) async fn check_rights(context: &CheckContext) -> Verdict {
    let listing = Listing {
        prefix: FOLDER,
        folders: false,
        limit: 1,
        token: None,
        after: None,
    };
    let list = "allow s3:ListBucket on the bucket (`doctor --policy`)";
    if let Err(error) = context.store.list(listing).await {
        return Verdict::failed(
            format!("the bucket cannot be listed: {}", causes(&error)),
            list,
        );
    }
    // Without s3:ListBucket, S3 answers 403 here.
    if let Err(error) = context.store.head(&format!("{FOLDER}absent")).await {
        let why = format!(
            "a missing object cannot be distinguished from a forbidden one: {}",
            causes(&error)
        );
        return Verdict::failed(why, list);
    }
    match context.store.list_multipart(FOLDER, 1, None).await {
        Ok(_) => Verdict::ok("listing objects and detecting missing objects are allowed"),
        Err(StoreError::Refused { answer, .. }) => Verdict::warning(
            format!(
                "multipart uploads cannot be listed ({answer}): the janitor cannot abort stale ones"
            ),
            "allow s3:ListBucketMultipartUploads (`doctor --policy`), or set a lifecycle rule",
        ),
        Err(StoreError::Failed {
            answer: Some(answer),
            ..
        }) => Verdict::unknown(
            format!("whether multipart uploads can be listed is unknown ({answer})"),
            "if the store has no such listing, set a lifecycle rule that aborts stale ones",
        ),
        Err(error) => Verdict::error(&error, "see the check `bucket`"),
    }
}
