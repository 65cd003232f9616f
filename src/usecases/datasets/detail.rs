//! One dataset, by HEAD.

use crate::domain::object::FoundObject;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::{Upload, display_name, has_drifted};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::datasets::download::{ReadOptions, SignedGet};
use crate::usecases::error::Result;

/// Everything that is known of a dataset.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The tenant's path.
    pub path: DatasetPath,
    /// What the store says.
    pub object: FoundObject,
    /// The upload that was acknowledged here, if any.
    pub upload: Option<Upload>,
    /// Where to GET it.
    pub download: SignedGet,
}

impl Detail {
    /// The declared name, or the file stem.
    pub fn name(&self) -> &str {
        display_name(&self.path, self.upload.as_ref())
    }

    /// Whether the object is no longer the proven one.
    pub fn drifted(&self) -> bool {
        has_drifted(self.upload.as_ref(), &self.object.etag)
    }
}

/// What stands at a path.
pub async fn detail(broker: &Broker, principal: &Principal, path: &DatasetPath) -> Result<Detail> {
    let (key, object) = broker.find_object(principal, path).await?;
    let mut connection = broker.connection().await?;
    let upload = uploads::find_acknowledged(&mut connection, &principal.tenant, &[path.as_str()])
        .await?
        .pop();
    drop(connection);
    let download = broker
        .sign_get(principal, &key, path, ReadOptions::default())
        .await?;
    Ok(Detail {
        path: path.clone(),
        object,
        upload,
        download,
    })
}

impl Broker {
    /// The key of a path and the object that stands there; refused where nothing does.
    pub(in crate::usecases) async fn find_object(
        &self,
        principal: &Principal,
        path: &DatasetPath,
    ) -> Result<(String, FoundObject)> {
        let nothing = || Refusal::new(Code::DatasetNotFound, format!("Nothing stands at {path}."));
        let key = (principal.jail.key(path))
            .map_err(|reason| nothing().with_rejected_path(reason, path.as_str()))?;
        let bucket = self.bucket_of(&principal.jail).await?;
        let object = bucket.objects.head(&key).await?.ok_or_else(nothing)?;
        Ok((key, object))
    }
}
