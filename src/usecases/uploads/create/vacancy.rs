//! Vacant: does anything stand where an upload may only write where nothing does?
//!
//! A store that holds writes to `If-None-Match: *` answers that by itself, when the bytes come. With
//! another one a create checks first: whatever stands there, from another program too, would be
//! written over without a word.

use crate::domain::abilities::Ability;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::{Upload, WriteRule};
use crate::store::uploads;
use crate::usecases::broker::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Whether a create has to check that its place is vacant, as the store may not hold the
    /// write to that.
    pub(in crate::usecases) async fn must_check_vacancy(
        &self,
        upload: &Upload,
        in_parts: bool,
    ) -> Result<bool> {
        if upload.write != WriteRule::CreateOnly {
            return Ok(false);
        }
        let ability = match in_parts {
            true => Ability::CompleteIfNoneMatch,
            false => Ability::PutIfNoneMatch,
        };
        let bucket = self.bucket(&upload.bucket).await?;
        Ok(!bucket
            .objects
            .abilities()
            .current()
            .support(ability)
            .is_supported())
    }

    /// Refuses where an object stands at the key of a new upload that may replace none.
    pub(in crate::usecases) async fn must_be_vacant(&self, upload: &Upload) -> Result<()> {
        let Some(found) = self.stored(upload).await? else {
            return Ok(());
        };
        let upload_id = match found.upload_id {
            None => None,
            Some(id) => {
                let mut connection = self.connection().await?;
                let other = uploads::find_by_id(&mut connection, &upload.tenant, id).await?;
                other.filter(|other| other.key == upload.key && other.bucket == upload.bucket)
            }
        };
        Err(Refusal {
            upload_id: upload_id.map(|other| other.id),
            ..Refusal::new(
                Code::DatasetExists,
                format!("An object stands at {} already.", upload.path),
            )
        }
        .into())
    }
}
