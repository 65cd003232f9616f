//! API calls on datasets.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, TryStreamExt as _};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::client::{Api, Page};
use super::link;
use super::send::{Call, LONG_TIMEOUT};
use super::time;
use super::wire::{Checksum, SignedUrl, Upload, Verification};
use crate::client::error::Result;

/// Which datasets to list.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Only paths that start with this prefix.
    pub prefix: String,
    /// Whether to roll up deeper paths into folders (`delimiter=/`).
    pub folders: bool,
    /// Whether to include the upload behind each dataset.
    pub with_upload: bool,
}

/// One entry of a dataset listing.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Entry {
    /// The display name of the dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The path, with its leading slash; `None` for an object whose key is not a valid path.
    pub path: Option<String>,
    /// The S3 key of an object that has no path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `false` for an object that has no path: no API call can address it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressable: Option<bool>,
    /// `folder` for a rolled-up folder, else `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The ETag, with its quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When the store received the object.
    #[serde(
        default,
        serialize_with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_modified: Option<DateTime<Utc>>,
    /// The upload behind the dataset, where it was requested and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadRef>,
    /// Whether the object is no longer the one that the broker proved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drifted: bool,
}

impl Entry {
    /// The path of the entry.
    ///
    /// # Errors
    /// Returns the S3 key of an object that has no path. No path is derived from the key: it could
    /// be the path of another object.
    pub fn address(&self) -> Result<&str, &str> {
        match (&self.path, self.addressable) {
            (Some(path), None | Some(true)) => Ok(path),
            _ => Err(self.key.as_deref().unwrap_or_default()),
        }
    }
}

/// The body of a copy request.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Copy {
    /// The path of the copy.
    pub to: String,
    /// Whether to replace an existing dataset at that path.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// Replace only the version with this ETag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
    /// Whether to delete the source once the copy is proven (a move).
    #[serde(rename = "move", skip_serializing_if = "std::ops::Not::not")]
    pub moves: bool,
}

/// How to delete a dataset.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeleteOptions {
    /// Whether to delete also an object that replaced the proven one.
    pub force: bool,
    /// Whether to delete also what was derived from the dataset.
    pub cascade: bool,
}

/// A reference to the upload behind a dataset.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct UploadRef {
    /// The id of the upload.
    pub id: Uuid,
    /// The status of the upload.
    pub status: String,
    /// How the broker proved the object.
    pub verification: Option<Verification>,
}

/// A dataset with all its details.
#[derive(Clone, Debug, Deserialize)]
pub struct Detail {
    /// The path, with its leading slash.
    pub path: String,
    /// The size in bytes.
    pub size: u64,
    /// The ETag, with its quotes.
    pub etag: String,
    /// When the store received the object.
    pub last_modified: DateTime<Utc>,
    /// The content type, where the store returned one.
    pub content_type: Option<String>,
    /// The user metadata of the object in S3.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// The version id, in a versioned bucket.
    pub version_id: Option<String>,
    /// The checksum, where the store returned one.
    pub checksum: Option<Checksum>,
    /// The upload behind the dataset.
    pub upload: Option<UploadRef>,
    /// Whether the object is no longer the one that the broker proved.
    #[serde(default)]
    pub drifted: bool,
    /// A pre-signed GET URL.
    pub download_url: SignedUrl,
}

/// A pre-signed GET URL with its expiry.
#[derive(Clone, Debug, Deserialize)]
pub struct Download {
    /// The URL to GET the bytes from.
    pub url: SignedUrl,
    /// When the URL expires.
    pub expires_at: DateTime<Utc>,
}

impl Api {
    /// Requests one page of datasets, in path order: the first page, or the one that `next` of the
    /// previous page names. A page may be empty and still have a next one.
    async fn datasets(&self, listing: &Listing, next: Option<&str>) -> Result<Page<Entry>> {
        let mut query = vec![("limit", "1000"), ("prefix", &listing.prefix)];
        if listing.folders {
            query.push(("delimiter", "/"));
        }
        if listing.with_upload {
            query.push(("include", "upload"));
        }
        self.page("/datasets", &query, next).await
    }

    /// Streams all datasets of a listing in path order, page by page.
    pub fn entries(&self, listing: Listing) -> impl Stream<Item = Result<Entry>> {
        let first = Some((listing, None));
        let pages = stream::try_unfold(first, move |state| async move {
            let Some((listing, next)): Option<(Listing, Option<String>)> = state else {
                return Ok(None);
            };
            let page = self.datasets(&listing, next.as_deref()).await?;
            let state = page.next.map(|next| (listing, Some(next)));
            Ok(Some((stream::iter(page.items.into_iter().map(Ok)), state)))
        });
        pages.try_flatten()
    }

    /// Streams all datasets in a folder and its subfolders. `folder` ends with a slash.
    pub fn entries_below(&self, folder: &str) -> impl Stream<Item = Result<Entry>> {
        self.entries(Listing {
            prefix: folder.to_owned(),
            ..Listing::default()
        })
    }

    /// Requests the details of one dataset.
    pub async fn dataset(&self, path: &str) -> Result<Detail> {
        self.send_json(&Call::get(link::dataset(path)?)).await
    }

    /// Requests a fresh URL to GET the bytes of a dataset.
    pub async fn download(&self, path: &str) -> Result<Download> {
        let target = format!("{}/action/download?redirect=false", link::dataset(path)?);
        self.send_json(&Call::get(target)).await
    }

    /// Copies a dataset inside the store, or moves it. Repeating the call with the same
    /// `idempotency_key` and body returns the same copy and continues one that is still Pending.
    pub async fn copy(&self, from: &str, copy: &Copy, idempotency_key: &str) -> Result<Upload> {
        let target = format!("{}/action/copy", link::dataset(from)?);
        let call = Call::post(target)
            .json(copy)?
            .idempotency_key(idempotency_key);
        self.send_json(&call.timeout(LONG_TIMEOUT)).await
    }

    /// Deletes a dataset. When the response to an earlier attempt was lost, "not found" means that
    /// this attempt succeeded. With `cascade`, "deleted" is a success as well: the dataset may have
    /// been derived from one that was deleted just before.
    pub async fn delete_dataset(&self, path: &str, options: DeleteOptions) -> Result<()> {
        let query = match (options.force, options.cascade) {
            (false, false) => "",
            (true, false) => "?force=remove",
            (false, true) => "?cascade=true",
            (true, true) => "?force=remove&cascade=true",
        };
        let target = format!("{}{query}", link::dataset(path)?);
        let mut call = Call::new(Method::DELETE, target);
        if options.cascade {
            call = call.timeout(LONG_TIMEOUT);
        }
        match self.send(&call).await {
            Ok(_) => Ok(()),
            Err(error) => match error.problem() {
                Some(problem) if problem.repeated && problem.is_gone() => Ok(()),
                Some(problem) if options.cascade && problem.is_deleted() => Ok(()),
                _ => Err(error),
            },
        }
    }
}
