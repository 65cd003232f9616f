//! Renews the lease of a pass over a bucket while the pass runs, including the pauses between its
//! pages.

use std::sync::Arc;

use crate::lifecycle::renewal::{Renewal, Renewed};
use crate::store::lease::Lease;
use crate::store::sweeps;
use crate::usecases::context::Broker;
use crate::usecases::error::Error;

/// Renews one lease in the table `sweeps`.
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

    /// Runs `pass`, and renews the lease meanwhile. Returns `None` if the lease was lost: the pass
    /// is dropped, and another process continues it.
    pub async fn during<T>(&self, pass: impl Future<Output = T>) -> Option<T> {
        let renewal = Renewal::new(self.lease.length());
        let until_lost = async {
            tokio::select! {
                biased;
                result = pass => Some(result),
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
                    "the lease of the pass over {} could not be renewed: {error}",
                    self.place
                );
                Renewed::Failed
            }
        }
    }
}
