//! The JSON of a dataset.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::{Checksum, Time, UploadRef};
use crate::usecases::datasets;
use crate::usecases::datasets::detail::Detail;

/// One entry of a listing.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Entry {
    /// An object.
    Dataset(Dataset),
    /// A folder: all paths with the same start up to a slash.
    Folder(Folder),
}

/// A dataset, as a listing shows it.
#[derive(Serialize, ToSchema)]
pub struct Dataset {
    /// The declared name if the upload is known, otherwise the file stem; the key if there is no
    /// path.
    pub name: String,
    /// The path with its leading slash, as all other operations accept it. Null if the key of the
    /// object is not a valid path (`a//b`, `folder/`, a leading slash, `..`, control characters):
    /// no operation can access that object.
    #[schema(required = true, example = "/data/employees.csv")]
    pub path: Option<String>,
    /// The key in the bucket, if there is no path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "data//employees.csv")]
    pub key: Option<String>,
    /// False if there is no path; absent otherwise.
    #[serde(skip_serializing_if = "is_true")]
    #[schema(required = false)]
    pub addressable: bool,
    /// The size in bytes.
    pub size: u64,
    /// The ETag with its quotes, as S3 returns it.
    pub etag: String,
    /// When the store received it.
    #[schema(value_type = String, format = DateTime)]
    pub last_modified: Time,
    /// With `include=upload`: the upload that was acknowledged at this path, or null.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<UploadRef>, required = false)]
    pub upload: Option<Option<UploadRef>>,
    /// True if the ETag is no longer the verified one.
    #[serde(skip_serializing_if = "is_false")]
    #[schema(required = false)]
    pub drifted: bool,
}

/// With `delimiter=/`: a folder.
#[derive(Serialize, ToSchema)]
pub struct Folder {
    /// The last segment of the path; the key if there is no path.
    #[schema(example = "data")]
    pub name: String,
    /// The path with a slash at both ends, which can be sent as `prefix` to list the folder. Null
    /// if no object in the folder has a valid path.
    #[schema(required = true, example = "/data/")]
    pub path: Option<String>,
    /// The prefix of the keys in the bucket, if there is no path.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "data//")]
    pub key: Option<String>,
    /// False if there is no path; absent otherwise.
    #[serde(skip_serializing_if = "is_true")]
    #[schema(required = false)]
    pub addressable: bool,
    /// Always `folder`.
    #[schema(example = "folder")]
    pub kind: &'static str,
}

/// A dataset with all its attributes.
#[derive(Serialize, ToSchema)]
pub struct DatasetDetail {
    /// The declared name if the upload is known, otherwise the file stem.
    pub name: String,
    /// The path with its leading slash.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The ETag with its quotes, as S3 returns it.
    pub etag: String,
    /// When the store received it.
    #[schema(value_type = String, format = DateTime)]
    pub last_modified: Time,
    /// The content type, if the store returned one.
    #[schema(required = true)]
    pub content_type: Option<String>,
    /// The user metadata of the object in S3.
    pub metadata: BTreeMap<String, String>,
    /// The version id, in a versioned bucket.
    #[schema(required = true)]
    pub version_id: Option<String>,
    /// The checksum of the whole object, if the store returned one.
    #[schema(required = true)]
    pub checksum: Option<Checksum>,
    /// The upload that was acknowledged at this path, or null.
    #[schema(required = true)]
    pub upload: Option<UploadRef>,
    /// True if the ETag is no longer the verified one.
    #[serde(skip_serializing_if = "is_false")]
    #[schema(required = false)]
    pub drifted: bool,
    /// A pre-signed GET. It is a credential: keep it secret.
    #[schema(format = "uri")]
    pub download_url: String,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_true(flag: &bool) -> bool {
    *flag
}

impl Entry {
    /// Converts an entry. `with_upload` is whether the caller requested the uploads.
    pub fn new(entry: datasets::list::Entry, with_upload: bool) -> Self {
        match entry {
            datasets::list::Entry::Folder(folder) => Self::Folder(folder.into()),
            datasets::list::Entry::Dataset(dataset) => Self::Dataset(Dataset {
                name: dataset.name().to_owned(),
                drifted: dataset.drifted(),
                upload: with_upload.then(|| dataset.upload.as_ref().map(Into::into)),
                addressable: dataset.path.is_some(),
                key: dataset.path.is_none().then_some(dataset.object.key),
                path: dataset.path.map(|path| path.as_str().to_owned()),
                size: dataset.object.size,
                last_modified: dataset.object.last_modified.into(),
                etag: dataset.object.etag,
            }),
        }
    }
}

impl From<datasets::list::Folder> for Folder {
    fn from(folder: datasets::list::Folder) -> Self {
        let name = match &folder.path {
            Some(path) => last_segment(path.as_str()),
            None => folder.key.as_str(),
        };
        Self {
            name: name.to_owned(),
            addressable: folder.path.is_some(),
            key: folder.path.is_none().then_some(folder.key),
            path: folder.path.map(|path| path.as_str().to_owned()),
            kind: "folder",
        }
    }
}

fn last_segment(folder: &str) -> &str {
    let folder = folder.strip_suffix('/').unwrap_or(folder);
    folder.rsplit('/').next().unwrap_or(folder)
}

impl From<Detail> for DatasetDetail {
    fn from(detail: Detail) -> Self {
        let object = &detail.object;
        Self {
            name: detail.name().to_owned(),
            path: detail.path.as_str().to_owned(),
            size: object.size,
            etag: object.etag.clone(),
            last_modified: object.last_modified.into(),
            content_type: object.content_type.clone(),
            metadata: object.metadata.clone(),
            version_id: object.version_id.clone(),
            checksum: (object.checksums.first())
                .filter(|_| object.checksums_checked)
                .map(Into::into),
            upload: detail.upload.as_ref().map(Into::into),
            drifted: detail.drifted(),
            download_url: detail.download.url,
        }
    }
}
