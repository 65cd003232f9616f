//! Visits everything that was derived from an upload, at any depth: first to check it, then to
//! delete it.
//!
//! The memory is bounded: a page of uploads for each level. So is the number of uploads that are
//! checked or deleted at once, by the permits that all cascading deletes of the process share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use uuid::Uuid;

use super::options::{DeleteOptions, Force};
use crate::domain::audit::{Action, ActionDetails, Origin};
use crate::domain::principal::Principal;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::status::{Status, Transition};
use crate::domain::upload::Upload;
use crate::store::uploads::{self, Filter};
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

/// The number of uploads that are read at a time.
const PAGE: i64 = 100;
/// The number of uploads of one level that one request visits at once.
const CONCURRENT_VISITS: usize = 8;

/// What is done with every derived upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Refuse what cannot be deleted.
    Check,
    /// Delete it, or cancel it if it is Pending.
    Delete,
}

/// Everything derived from an upload, and on whose behalf it is deleted.
pub(super) struct Derived {
    pub(super) broker: Arc<Broker>,
    pub(super) principal: Arc<Principal>,
    pub(super) origin: Origin,
}

impl Derived {
    /// Visits everything derived from the upload `source`, and returns how many uploads are left of
    /// it, or were before they were deleted. Uploads that have ended are not counted, but what was
    /// derived from them is visited.
    ///
    /// # Errors
    /// The first failure. Visits that have started end; no further ones start.
    pub(super) fn visit(&self, source: Uuid, step: Step) -> BoxFuture<'_, Result<u64>> {
        self.visit_level(source, step, CONCURRENT_VISITS)
    }

    /// Below the first level the visits are one after the other, so that their number does not grow
    /// with the depth.
    fn visit_level(
        &self,
        source: Uuid,
        step: Step,
        concurrent: usize,
    ) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            let (mut visited, mut before) = (0, None);
            loop {
                let page = self.page(source, before).await?;
                let Some(last) = page.last() else {
                    return Ok(visited);
                };
                before = Some(last.id);
                visited += self.visit_page(page, step, concurrent).await?;
            }
        })
    }

    async fn page(&self, source: Uuid, before: Option<Uuid>) -> Result<Vec<Upload>> {
        let filter = Filter {
            derived_from: Some(source),
            before,
            ..Filter::default()
        };
        let mut connection = self.broker.connection().await?;
        Ok(uploads::list(&mut connection, &self.principal.tenant, &filter, PAGE).await?)
    }

    /// A visit is never dropped half-way: it may have registered a removal.
    async fn visit_page(&self, page: Vec<Upload>, step: Step, concurrent: usize) -> Result<u64> {
        let failed = AtomicBool::new(false);
        let visits = page.into_iter().map(async |upload| {
            if failed.load(Ordering::Relaxed) {
                return Ok(0);
            }
            let visited = self.visit_one(upload, step).await;
            failed.fetch_or(visited.is_err(), Ordering::Relaxed);
            visited
        });
        let visited: Vec<Result<u64>> = (stream::iter(visits).buffer_unordered(concurrent))
            .collect()
            .await;
        visited.into_iter().sum()
    }

    async fn visit_one(&self, upload: Upload, step: Step) -> Result<u64> {
        let below = self.visit_level(upload.id, step, 1).await?;
        if !is_left(upload.status) {
            return Ok(below);
        }
        if self.broker.tasks.are_stopping() {
            let detail =
                "The broker stops; a part of what was derived from this upload may be deleted";
            return Err(Error::Busy(detail.to_owned()));
        }
        let permit = self.broker.tasks.derived_deletes.acquire().await;
        let _permit = permit.map_err(|closed| Error::Internal(closed.into()))?;
        let id = upload.id;
        let done = match step {
            Step::Check => self.check(&upload).await,
            Step::Delete => self.delete(upload).await,
        };
        done.map_err(|error| explain(error, id, step))?;
        Ok(below + 1)
    }

    async fn check(&self, upload: &Upload) -> Result<()> {
        if !self.principal.jail.admits(&upload.path) {
            return Err(outside_folder().into());
        }
        match upload.status {
            Status::Pending => Ok(()),
            _ => (self.broker.ensure_deletable(upload, self.options(upload))).await,
        }
    }

    async fn delete(&self, upload: Upload) -> Result<()> {
        let upload = match upload.status {
            Status::Pending => match self.broker.cancel(upload.clone()).await {
                Ok(cancelled) => {
                    self.record(Action::UploadCancelled, &cancelled);
                    return Ok(());
                }
                // It was proven or has failed meanwhile.
                Err(Error::Refused(_)) => self.broker.reload(&upload).await?,
                Err(error) => return Err(error),
            },
            _ => upload,
        };
        // It may be new since the check.
        if !self.principal.jail.admits(&upload.path) {
            return Err(outside_folder().into());
        }
        match (self.broker.delete(&upload, self.options(&upload))).await {
            Ok(()) => {
                self.record(Action::UploadDeleted, &upload);
                Ok(())
            }
            // Another request has deleted it meanwhile, or a newer upload has replaced it.
            Err(Error::Refused(refusal)) if has_ended(&refusal) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn options(&self, upload: &Upload) -> DeleteOptions {
        DeleteOptions::of_upload(upload, &self.principal.jail, Force::No)
    }

    /// Adds an audit record.
    pub(super) fn record(&self, action: Action, upload: &Upload) {
        if self.broker.rules.audited {
            let (now, origin) = (self.broker.clock.now(), self.origin.clone());
            let details = ActionDetails::on_upload(action, upload);
            self.broker.audit.record(now, origin, None, details);
        }
    }
}

/// Whether there is something to delete of an upload in this status.
fn is_left(status: Status) -> bool {
    let is_open = matches!(
        status,
        Status::Pending | Status::Processing | Status::Deleting
    );
    is_open || Transition::StartDelete.allows(status)
}

fn has_ended(refusal: &Refusal) -> bool {
    refusal.code == Code::InvalidStatus && refusal.status.is_some_and(|status| !is_left(status))
}

/// Which uploads there are outside the folder is not for the caller to know.
fn outside_folder() -> Refusal {
    Refusal::new(
        Code::OutsidePrefix,
        "Datasets outside the folder of this credential were derived from the upload: delete it without cascade, or with another credential.",
    )
}

/// Says in a refusal that it concerns the derived upload `id`.
fn explain(error: Error, id: Uuid, step: Step) -> Error {
    match error {
        Error::Refused(refusal) if refusal.upload_id == Some(id) => {
            let outcome = match step {
                Step::Check => "Nothing was deleted: the",
                Step::Delete => "The",
            };
            let detail = format!(
                "{outcome} upload {id} was derived from this one and cannot be deleted with it. {} Delete {id} by itself, then repeat this request.",
                refusal.detail
            );
            Refusal { detail, ..*refusal }.into()
        }
        error => error,
    }
}
