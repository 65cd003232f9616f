//! The refusals of uploads that cannot be acknowledged.

use uuid::Uuid;

use crate::domain::mismatch::Mismatch;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;

/// A dataset was acknowledged at the path since the upload was created.
pub(super) fn dataset_exists(upload: &Upload, other: Uuid) -> Refusal {
    Refusal {
        upload_id: Some(other),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "A dataset was acknowledged at {} after this upload was created, and this upload may not replace it.",
                upload.path
            ),
        )
    }
}

pub(super) fn foreign_object_exists(upload: &Upload) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "The object at {} was not written with this upload's URL, and this upload may not replace it.",
                upload.path
            ),
        )
    }
}

pub(super) fn version_changed(upload: &Upload) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        ..Refusal::new(
            Code::DatasetExists,
            format!(
                "The version at {} that if_match names is no longer there: nothing was replaced.",
                upload.path
            ),
        )
    }
}

pub(super) fn mismatch(upload: &Upload, mismatches: Vec<Mismatch>) -> Refusal {
    let texts: Vec<_> = mismatches.iter().map(ToString::to_string).collect();
    Refusal {
        upload_id: Some(upload.id),
        mismatches,
        ..Refusal::new(Code::ObjectMismatch, texts.join("; "))
    }
}
