//! Checks the uploads that entries say they are derived from.
//!
//! No rule applies to a derived dataset, and a cascading delete removes it with its source. So a
//! caller may declare a source only if it may process datasets, and only an upload that it can see and
//! whose dataset exists.

use std::collections::HashSet;

use uuid::Uuid;

use super::new_upload::{DerivedFrom, NewUpload};
use crate::domain::principal::{Principal, Scope};
use crate::domain::refusal::Refusal;
use crate::domain::status::Status;
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

/// The declared sources that exist.
pub(super) struct Sources {
    is_allowed: bool,
    found: HashSet<Uuid>,
}

impl Sources {
    /// Finds the sources that the entries declare. Without any, Postgres is not asked.
    pub(super) async fn find(
        broker: &Broker,
        principal: &Principal,
        new: &[Option<NewUpload>],
    ) -> Result<Self> {
        let is_allowed = principal.scopes.contains(&Scope::ProcessingWrite);
        let declared: Vec<Uuid> = new.iter().flatten().filter_map(declared).collect();
        if declared.is_empty() || !is_allowed {
            return Ok(Self {
                is_allowed,
                found: HashSet::new(),
            });
        }
        let mut connection = broker.connection().await?;
        let found = uploads::find_by_ids(&mut connection, &principal.tenant, &declared).await?;
        let visible = found
            .into_iter()
            .filter(|upload| principal.jail.admits(&upload.path) && stands(upload));
        Ok(Self {
            is_allowed,
            found: visible.map(|upload| upload.id).collect(),
        })
    }

    /// Refuses an entry whose declared source the caller may not use.
    pub(super) fn check_source_of(&self, new: &NewUpload) -> std::result::Result<(), Refusal> {
        match declared(new) {
            None => Ok(()),
            Some(_) if !self.is_allowed => Err(Refusal::field(
                "/derived_from",
                "needs a credential with the scope processing:write",
            )),
            Some(id) if !self.found.contains(&id) => Err(Refusal::field(
                "/derived_from",
                "is not the id of an upload whose dataset exists",
            )),
            Some(_) => Ok(()),
        }
    }
}

/// Whether the proven dataset of an upload is at its path, so that a delete can remove what was derived
/// from it. It still is after its processing has failed.
fn stands(upload: &Upload) -> bool {
    let status = upload.status;
    status.is_acknowledged() || status == Status::Error && upload.object.is_some()
}

fn declared(new: &NewUpload) -> Option<Uuid> {
    match new.derived_from {
        Some(DerivedFrom::Declared(id)) => Some(id),
        Some(DerivedFrom::Known(_)) | None => None,
    }
}
