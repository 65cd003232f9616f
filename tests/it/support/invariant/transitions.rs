//! The arrows of the contract, written a second time: what the code says of them is no proof.

/// Every arrow: from where, the event that it leaves, to where.
pub const TRANSITIONS: [(&str, &str, &str); 12] = [
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
    ("Processed", "dataset.superseded", "Superseded"),
];

/// Events that leave the status as it is.
pub const NOTES: [&str; 2] = ["dataset.drifted", "dataset.restored"];
