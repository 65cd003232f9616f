//! What a delete applies to, and what it does about other objects.

use crate::domain::jail::Jail;
use crate::domain::upload::Upload;

/// What to do if another object is at the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// Refuse the request.
    #[default]
    No,
    /// End the upload, and keep the object.
    Upload,
    /// Remove the object as well, unless another upload relies on it.
    Object,
}

/// What is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeleteTarget {
    /// An upload and its object.
    Upload,
    /// An upload whose key now lies under the prefix of another tenant: no object is removed.
    UploadInOtherTenantsPrefix,
    /// The dataset at a path.
    Dataset,
}

/// What is deleted, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeleteOptions {
    pub(super) target: DeleteTarget,
    pub(super) force: Force,
}

impl DeleteOptions {
    /// A delete of an upload by its id, in the jail of the caller.
    pub(super) fn of_upload(upload: &Upload, jail: &Jail, force: Force) -> Self {
        let target = match jail.path(&upload.key) {
            Some(_) => DeleteTarget::Upload,
            None => DeleteTarget::UploadInOtherTenantsPrefix,
        };
        Self { target, force }
    }
}
