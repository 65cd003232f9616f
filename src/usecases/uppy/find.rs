//! Finds the uploads of Uppy clients.

use super::session::UppySession;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::Upload;
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::Result;
use crate::usecases::uploads::find::may_write;

/// Finds an upload in parts that an Uppy client of the caller's tenant created.
pub async fn read(broker: &Broker, principal: &Principal, session: &UppySession) -> Result<Upload> {
    broker.find_uppy_upload(principal, session).await
}

impl Broker {
    /// Finds an upload in parts that an Uppy client of this tenant created, within the folder that the
    /// caller is confined to. Any other does not exist for the caller.
    pub(super) async fn find_uppy_upload(
        &self,
        principal: &Principal,
        session: &UppySession,
    ) -> Result<Upload> {
        let UppySession { key, s3_upload_id } = session;
        let mut connection = self.connection().await?;
        let tenant = &principal.tenant;
        let found = uploads::find_of_uppy(&mut connection, tenant, key, s3_upload_id).await?;
        let visible = found.filter(|upload| principal.jail.admits(&upload.path));
        let upload = visible.ok_or_else(|| {
            let detail = "There is no multipart upload with this key and upload id.";
            Refusal::new(Code::UploadNotFound, detail)
        })?;
        may_write(principal, &upload)?;
        Ok(upload)
    }
}
