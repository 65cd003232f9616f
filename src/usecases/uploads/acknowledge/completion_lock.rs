//! The completion lock: one caller at a time completes an upload.
//!
//! S3 may take minutes to complete the parts. A caller that asks again meanwhile, because its
//! request timed out, waits for the completion in progress instead of sending the same request to
//! S3: callers of this process wait for a lock, those of other replicas for the lease of the row.
//!
//! The lease is renewed until the work is done, and keeps every janitor away. A janitor that leased
//! the row before loses its lease, because a returning client has priority. If this replica dies,
//! its lease expires, and another replica completes the upload.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::domain::part_plan::MAX_PARTS;
use crate::domain::status::Transition;
use crate::domain::upload::Upload;
use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::store::lease::Lease;
use crate::store::uploads;
use crate::usecases::context::{Broker, CompletionPermit};
use crate::usecases::error::{Dependency, Error, Result};

/// How long a caller waits for a completion in progress. By then its client has been asked to
/// retry later; and if S3 fails, the callers must not find that out one after the other.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// How often the row is read while another replica completes the upload.
const POLL_EVERY: Duration = Duration::from_millis(250);

/// The right to complete one upload, until it is dropped.
pub(in crate::usecases) struct CompletionLock {
    /// Ends the renewals and releases the lease. It is the first field, so that it is dropped while
    /// the permit is still held.
    _lease: Option<DropGuard>,
    _permit: CompletionPermit,
}

impl Broker {
    /// Waits until no other caller completes the upload, in this process or another replica. Then
    /// the upload is read again, and leased if it is still to be completed. Returns `None` for an
    /// upload in a single PUT, which needs no lock.
    ///
    /// Fails if that takes too long, or if too many parts are being completed at this moment, since
    /// memory is bounded by the parts of all completions.
    pub(in crate::usecases) async fn lock_completion(
        self: &Arc<Self>,
        upload: &mut Upload,
    ) -> Result<Option<CompletionLock>> {
        let Some(multipart) = &upload.multipart else {
            return Ok(None);
        };
        let parts = multipart.part_count.unwrap_or(MAX_PARTS).min(MAX_PARTS);
        let until = Instant::now() + MAX_WAIT;
        let completions = &self.tasks.completions;
        let permit = completions.permit(upload.id, parts, MAX_WAIT).await?;
        let lease = match upload.lease_token {
            // The janitor has leased it. It may have read the row minutes ago.
            Some(_) => {
                *upload = self.reload(upload).await?;
                None
            }
            None => self.lease_completion(upload, until).await?,
        };
        Ok(Some(CompletionLock {
            _lease: lease,
            _permit: permit,
        }))
    }

    /// Leases the row, and renews the lease until the guard is dropped. Returns no guard if the
    /// upload cannot be acknowledged any more.
    async fn lease_completion(
        self: &Arc<Self>,
        upload: &mut Upload,
        until: Instant,
    ) -> Result<Option<DropGuard>> {
        let lease = self.new_lease();
        loop {
            let mut connection = self.connection().await?;
            let leased = uploads::lease_for_completion(&mut connection, upload.id, &lease).await?;
            drop(connection);
            if let Some(leased) = leased {
                *upload = leased;
                break;
            }
            *upload = self.reload(upload).await?;
            if !Transition::Acknowledge.allows(upload.status) {
                return Ok(None);
            }
            if Instant::now() >= until {
                return Err(Error::Overloaded(Dependency::S3));
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        let over = CancellationToken::new();
        let (this, id, guard) = (Arc::clone(self), upload.id, over.clone().drop_guard());
        (self.tasks).spawn(async move { this.renew_until_over(id, &lease, over).await });
        Ok(Some(guard))
    }

    async fn renew_until_over(&self, id: Uuid, lease: &Lease, over: CancellationToken) {
        let renewal = Renewal::new(lease.length());
        let renew = || self.renew_completion(id, lease);
        renewal.during(renew, over.cancelled()).await;
        let given_back = async {
            let mut connection = self.connection().await?;
            Ok::<_, Error>(uploads::release_completion(&mut connection, id, lease).await?)
        };
        if let Err(error) = given_back.await {
            log::warn!("upload {id} stays leased until its lease ends: {error}");
        }
    }

    async fn renew_completion(&self, id: Uuid, lease: &Lease) -> Renewed {
        let renewed = async {
            let mut connection = self.connection().await?;
            Ok::<_, Error>(uploads::renew_leases(&mut connection, &[id], lease).await?)
        };
        match renewed.await {
            Ok(held) if held.is_empty() => Renewed::Lost,
            Ok(_) => Renewed::Held,
            Err(error) => {
                log::warn!("the lease of upload {id} could not be renewed: {error}");
                Renewed::Failed
            }
        }
    }
}
