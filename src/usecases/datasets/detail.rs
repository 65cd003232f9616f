//! Reads one dataset, with a HEAD.

use crate::domain::object::FoundObject;
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::upload::{Upload, display_name, has_drifted};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::datasets::download::{ReadOptions, SignedGet};
use crate::usecases::error::Result;

/// A dataset, with its upload and a URL.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The path of the dataset.
    pub path: DatasetPath,
    /// The object, as the store reports it.
    pub object: FoundObject,
    /// The upload that was acknowledged at the path, if any.
    pub upload: Option<Upload>,
    /// A pre-signed URL to read the object.
    pub download: SignedGet,
}

impl Detail {
    /// Returns the declared name, or the file stem.
    pub fn name(&self) -> &str {
        display_name(&self.path, self.upload.as_ref())
    }

    /// Whether the object is no longer the proven one.
    pub fn drifted(&self) -> bool {
        has_drifted(self.upload.as_ref(), &self.object.etag)
    }
}

/// Reads the dataset at a path. Refuses a path without an object.
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
    /// Returns the key of a path and the object there. Refuses a path without an object.
    pub(in crate::usecases) async fn find_object(
        &self,
        principal: &Principal,
        path: &DatasetPath,
    ) -> Result<(String, FoundObject)> {
        let not_found = || {
            Refusal::new(
                Code::DatasetNotFound,
                format!("There is no object at {path}."),
            )
        };
        let key = (principal.jail.key(path))
            .map_err(|reason| not_found().with_rejected_path(reason, path.as_str()))?;
        let bucket = self.bucket_of(&principal.jail).await?;
        let object = bucket.objects.head(&key).await?.ok_or_else(not_found)?;
        Ok((key, object))
    }
}
