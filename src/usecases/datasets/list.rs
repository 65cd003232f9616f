//! Lists datasets, directly from the store.

use std::collections::HashMap;

use crate::domain::jail::Jail;
use crate::domain::page::{Cursor, Page};
use crate::domain::path::DatasetPath;
use crate::domain::principal::Principal;
use crate::domain::refusal::Refusal;
use crate::domain::upload::{Upload, display_name, has_drifted};
use crate::objects::{self, ListedObject, StoreError};
use crate::store::uploads;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

/// The filter and the page of a list.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The start of the paths, with or without the leading slash.
    pub prefix: String,
    /// Whether to group paths at the next `/` after the prefix.
    pub folders: bool,
    /// The number of entries in a page, 1 to 1,000.
    pub limit: u16,
    /// The position where the last page ended.
    pub cursor: Option<Cursor>,
    /// Whether to add the uploads of the datasets, which needs one query per page.
    pub with_upload: bool,
}

/// One entry of a listing.
#[derive(Clone, Debug)]
pub enum Entry {
    /// The common prefix of several keys, which ends with a slash.
    Folder(Folder),
    /// An object.
    Dataset(Box<Dataset>),
}

/// A common prefix of keys, up to a slash.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The path of the folder; `None` if no path leads to anything in it.
    pub path: Option<DatasetPath>,
    /// The S3 key prefix.
    pub key: String,
}

/// An object, with its path and its upload.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The path of the dataset; `None` if no path leads to the object's key.
    pub path: Option<DatasetPath>,
    /// The object, as the store lists it.
    pub object: ListedObject,
    /// The upload that was acknowledged at the path. `None` if it was not requested.
    pub upload: Option<Upload>,
}

impl Dataset {
    /// Returns the declared name, or the file stem; the key if there is no path.
    pub fn name(&self) -> &str {
        match &self.path {
            Some(path) => display_name(path, self.upload.as_ref()),
            None => &self.object.key,
        }
    }

    /// Whether the object is no longer the proven one.
    pub fn drifted(&self) -> bool {
        has_drifted(self.upload.as_ref(), &self.object.etag)
    }
}

/// Returns one page of the objects under a prefix.
///
/// A page may be shorter than requested, or empty, although there is a next one.
pub async fn page(
    broker: &Broker,
    principal: &Principal,
    listing: &Listing,
) -> Result<Page<Entry>> {
    let prefix = (principal.jail.key_prefix(&listing.prefix))
        .map_err(|invalid| Refusal::field("/prefix", invalid.to_string()))?;
    let token = listing.token()?;
    let Some(prefix) = prefix else {
        let (items, next) = (Vec::new(), None);
        return Ok(Page { items, next });
    };
    if listing.folders
        && let Some(folder) = principal.jail.next_folder(&listing.prefix)
    {
        return broker
            .list_next_folder(&principal.jail, &prefix, folder)
            .await;
    }
    let request = objects::Listing {
        prefix: &prefix,
        folders: listing.folders,
        limit: listing.limit,
        token,
        after: None,
    };
    let bucket = broker.bucket_of(&principal.jail).await?;
    let page = (bucket.objects)
        .list(request)
        .await
        .map_err(|error| match error {
            StoreError::UnknownContinuationToken => {
                Refusal::field("/cursor", "does not belong to this list").into()
            }
            error => Error::from(error),
        })?;
    let mut datasets: Vec<_> = (page.objects.into_iter())
        .filter_map(|object| {
            let path = principal.jail.address(&object.key)?.ok();
            Some(Dataset {
                path: path.filter(|_| object.is_exact),
                object,
                upload: None,
            })
        })
        .collect();
    if listing.with_upload {
        add_uploads(broker, principal, &mut datasets).await?;
    }
    let folders = (page.folders.into_iter()).filter_map(|folder| {
        let path = principal.jail.folder_address(&folder.key)?.ok();
        Some(Folder {
            path: path.filter(|_| folder.is_exact),
            key: folder.key,
        })
    });
    let mut items: Vec<_> = folders
        .map(Entry::Folder)
        .chain(
            datasets
                .into_iter()
                .map(|dataset| Entry::Dataset(Box::new(dataset))),
        )
        .collect();
    items.sort_by(|one, other| one.key().cmp(other.key()));
    let next = page.next.map(|token| Cursor::Listing {
        token,
        prefix: listing.prefix.clone(),
        folders: listing.folders,
    });
    Ok(Page { items, next })
}

impl Broker {
    /// Lists a folder above the one that the caller is confined to. It shows only the next folder
    /// on the way to the caller's own, if that contains an object.
    async fn list_next_folder(
        &self,
        jail: &Jail,
        prefix: &str,
        folder: DatasetPath,
    ) -> Result<Page<Entry>> {
        let request = objects::Listing {
            prefix,
            folders: false,
            limit: 1,
            token: None,
            after: None,
        };
        let found = self.bucket_of(jail).await?.objects.list(request).await?;
        let folder = (!found.objects.is_empty()).then(|| {
            Entry::Folder(Folder {
                key: prefix.to_owned(),
                path: Some(folder),
            })
        });
        let items = folder.into_iter().collect();
        Ok(Page { items, next: None })
    }
}

impl Entry {
    fn key(&self) -> &str {
        match self {
            Self::Folder(folder) => &folder.key,
            Self::Dataset(dataset) => &dataset.object.key,
        }
    }
}

impl Listing {
    /// Returns the store's token, if the cursor belongs to this list.
    fn token(&self) -> Result<Option<&str>, Refusal> {
        match &self.cursor {
            None => Ok(None),
            Some(Cursor::Listing {
                token,
                prefix,
                folders,
            }) if *prefix == self.prefix && *folders == self.folders => Ok(Some(token)),
            Some(_) => Err(Refusal::field(
                "/cursor",
                "belongs to a list with another prefix or delimiter",
            )),
        }
    }
}

async fn add_uploads(
    broker: &Broker,
    principal: &Principal,
    datasets: &mut [Dataset],
) -> Result<()> {
    // An object without a path has no upload.
    let paths: Vec<_> = (datasets.iter())
        .filter_map(|dataset| dataset.path.as_ref())
        .map(DatasetPath::as_str)
        .collect();
    if paths.is_empty() {
        return Ok(());
    }
    let mut connection = broker.connection().await?;
    let uploads = uploads::find_acknowledged(&mut connection, &principal.tenant, &paths).await?;
    drop(connection);
    let mut by_path: HashMap<_, _> = (uploads.into_iter())
        .map(|upload| (upload.path.as_str().to_owned(), upload))
        .collect();
    for dataset in datasets {
        let path = dataset.path.as_ref();
        dataset.upload = path.and_then(|path| by_path.remove(path.as_str()));
    }
    Ok(())
}
