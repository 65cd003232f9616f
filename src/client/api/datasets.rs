//! Calls on datasets.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::stream::{self, Stream, TryStreamExt as _};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::link;
use super::send::{Call, LONG};
use super::wire::{Checksum, SignedUrl, Upload, Verification};
use super::{Api, Page, time};
use crate::client::error::Result;

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Paths that start like this.
    pub prefix: String,
    /// Whether to roll up what lies deeper.
    pub folders: bool,
    /// Whether to ask for the upload behind each dataset.
    pub with_upload: bool,
}

/// One entry of a listing.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Entry {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With its leading slash; none of an object whose key is no path.
    pub path: Option<String>,
    /// The key of an object that has no path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `false` of an object that has no path: no call can name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addressable: Option<bool>,
    /// `folder` where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// With its quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// When the store took it.
    #[serde(
        default,
        serialize_with = "time::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_modified: Option<DateTime<Utc>>,
    /// The upload behind it, where it was asked for and is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<UploadRef>,
    /// Whether the object is no longer the proven one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drifted: bool,
}

impl Entry {
    /// The path.
    ///
    /// # Errors
    /// The key of an object that has no path. It is never guessed what path might be meant: that
    /// would be another object's.
    pub fn address(&self) -> Result<&str, &str> {
        match (&self.path, self.addressable) {
            (Some(path), None | Some(true)) => Ok(path),
            _ => Err(self.key.as_deref().unwrap_or_default()),
        }
    }
}

/// What a copy is to be.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Copy {
    /// Its path.
    pub to: String,
    /// Whether to replace what stands there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// Replace exactly this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
    /// Whether the source is deleted once the copy is proven.
    #[serde(rename = "move", skip_serializing_if = "std::ops::Not::not")]
    pub moves: bool,
}

/// The upload behind a dataset.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct UploadRef {
    /// Its id.
    pub id: Uuid,
    /// Its state.
    pub status: String,
    /// How it was proven.
    pub verification: Option<Verification>,
}

/// A dataset with everything that is known of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Detail {
    /// With its leading slash.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// With its quotes.
    pub etag: String,
    /// When the store took it.
    pub last_modified: DateTime<Utc>,
    /// Where the store returned one.
    pub content_type: Option<String>,
    /// Of the object in S3.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// In a versioned bucket.
    pub version_id: Option<String>,
    /// Where the store returned one.
    pub checksum: Option<Checksum>,
    /// The upload behind it.
    pub upload: Option<UploadRef>,
    /// Whether the object is no longer the proven one.
    #[serde(default)]
    pub drifted: bool,
    /// A pre-signed GET.
    pub download_url: SignedUrl,
}

/// A pre-signed GET.
#[derive(Clone, Debug, Deserialize)]
pub struct Download {
    /// Where to GET the bytes.
    pub url: SignedUrl,
    /// When the URL ends.
    pub expires_at: DateTime<Utc>,
}

impl Api {
    /// One page of datasets, in path order: the first one, or the one that the page before named.
    /// A page may be empty and still have a next one.
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

    /// All datasets of a listing, in path order, page by page.
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

    /// All datasets in a folder and below; `folder` ends with a slash.
    pub fn below(&self, folder: &str) -> impl Stream<Item = Result<Entry>> {
        self.entries(Listing {
            prefix: folder.to_owned(),
            ..Listing::default()
        })
    }

    /// One dataset.
    pub async fn dataset(&self, path: &str) -> Result<Detail> {
        self.ask(&Call::get(link::dataset(path)?)).await
    }

    /// A fresh URL to GET a dataset's bytes.
    pub async fn download(&self, path: &str) -> Result<Download> {
        let target = format!("{}/action/download?redirect=false", link::dataset(path)?);
        self.ask(&Call::get(target)).await
    }

    /// Copies a dataset inside of the store, or moves it there. The same `idempotency_key` with the
    /// same body finds the same copy again; one that is still Pending goes on.
    pub async fn copy(&self, from: &str, copy: &Copy, idempotency_key: &str) -> Result<Upload> {
        let target = format!("{}/action/copy", link::dataset(from)?);
        let call = Call::post(target).json(copy)?.once(idempotency_key);
        self.ask(&call.within(LONG)).await
    }

    /// Deletes a dataset, with `force` also what stands there in place of the proven one. Where an
    /// answer was lost, "not there any more" is what was wanted.
    pub async fn delete_dataset(&self, path: &str, force: bool) -> Result<()> {
        let query = if force { "?force=remove" } else { "" };
        let target = format!("{}{query}", link::dataset(path)?);
        match self.send(&Call::new(Method::DELETE, target)).await {
            Ok(_) => Ok(()),
            Err(error) => match error.problem() {
                Some(problem) if problem.repeated && problem.is_gone() => Ok(()),
                _ => Err(error),
            },
        }
    }
}
