//! The status transitions of the contract. They are written a second time here, because a test against the
//! transitions in the code would prove nothing.

/// Every transition: the old status, the type of its event, and the new status.
pub const TRANSITIONS: [(&str, &str, &str); 18] = [
    ("Pending", "dataset.uploaded", "Uploaded"),
    ("Expired", "dataset.uploaded", "Uploaded"),
    ("Pending", "upload.failed", "Error"),
    ("Expired", "upload.failed", "Error"),
    ("Pending", "upload.expired", "Expired"),
    ("Pending", "upload.cancelled", "Cancelled"),
    ("Uploaded", "dataset.deleting", "Deleting"),
    ("Processed", "dataset.deleting", "Deleting"),
    ("Error", "dataset.deleting", "Deleting"),
    ("Deleting", "dataset.deleted", "Deleted"),
    ("Uploaded", "dataset.superseded", "Superseded"),
    ("Processing", "dataset.superseded", "Superseded"),
    ("Processed", "dataset.superseded", "Superseded"),
    ("Uploaded", "dataset.processing", "Processing"),
    ("Processed", "dataset.processing", "Processing"),
    ("Error", "dataset.processing", "Processing"),
    ("Processing", "dataset.processed", "Processed"),
    ("Processing", "dataset.processing-failed", "Error"),
];

/// Events that do not change the status.
pub const NOTES: [&str; 2] = ["dataset.drifted", "dataset.restored"];
