//! The lease of a walk through a bucket, kept while the walk goes on: over its pages, and over the
//! rests between them.

use std::sync::Arc;

use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::store::lease::Lease;
use crate::store::sweeps;
use crate::usecases::context::Broker;
use crate::usecases::error::Error;

/// Keeps the lease of one place in `sweeps`.
pub struct LeaseRenewal {
    broker: Arc<Broker>,
    place: String,
    lease: Lease,
}

impl LeaseRenewal {
    pub(in crate::usecases) fn new(broker: Arc<Broker>, place: String, lease: Lease) -> Self {
        Self {
            broker,
            place,
            lease,
        }
    }

    /// Does `walk`, and renews the lease meanwhile. `None` where it was lost: the walk is dropped,
    /// and another process goes on with it.
    pub async fn during<T>(&self, walk: impl Future<Output = T>) -> Option<T> {
        let renewal = Renewal::new(self.lease.length());
        let until_lost = async {
            tokio::select! {
                biased;
                walked = walk => Some(walked),
                () = renewal.lost().cancelled() => None,
            }
        };
        renewal.during(|| self.renew(), until_lost).await
    }

    async fn renew(&self) -> Renewed {
        let renewed = async {
            let mut connection = self.broker.connection().await?;
            let place = [self.place.as_str()];
            Ok::<_, Error>(sweeps::renew_leases(&mut connection, &place, &self.lease).await?)
        };
        match renewed.await {
            Ok(held) if held.is_empty() => Renewed::Lost,
            Ok(_) => Renewed::Held,
            Err(error) => {
                log::warn!(
                    "the lease of the walk over {} is not renewed: {error}",
                    self.place
                );
                Renewed::Failed
            }
        }
    }
}
