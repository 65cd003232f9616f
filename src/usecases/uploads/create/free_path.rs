//! Whether a path is free, for an upload that may not replace anything.
//!
//! A store that holds writes to `If-None-Match: *` refuses the bytes where an object stands. With
//! another store, the create reads the key first: an object of another program too would be
//! replaced without a warning.

use crate::domain::abilities::Ability;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::{Upload, WriteRule};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;

impl Broker {
    /// Whether a create has to read the key, because the store may not refuse the write.
    pub(super) async fn must_read_key(&self, upload: &Upload, in_parts: bool) -> Result<bool> {
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

    /// Refuses a new upload that may not replace anything where an object stands at its key.
    pub(super) async fn ensure_path_is_free(&self, upload: &Upload) -> Result<()> {
        let Some(found) = self.head_object(upload).await? else {
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
