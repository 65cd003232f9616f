//! Makes a proof wait for the removals at its key.
//!
//! Most removals take a few milliseconds. One whose DELETE got no answer takes minutes: the client
//! has to acknowledge again later.

use std::time::{Duration, Instant};

use crate::domain::upload::Upload;
use crate::lifecycle::backoff::Backoff;
use crate::store::removals;
use crate::usecases::context::Broker;
use crate::usecases::error::{Error, Result};

/// How long a proof waits for the removals at its key.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The time between two checks, which grows.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(320));

impl Broker {
    /// Waits until no object with this ETag is being removed from the key of `upload`. Fails with
    /// 503 after [`TIMEOUT`].
    pub(in crate::usecases) async fn wait_for_removals(
        &self,
        upload: &Upload,
        etag: &str,
    ) -> Result<()> {
        let (bucket, key) = (&*upload.bucket, &*upload.key);
        let deadline = Instant::now() + TIMEOUT;
        let mut checks = 0;
        loop {
            let now = self.clock.now();
            let mut connection = self.connection().await?;
            if !removals::is_in_progress(&mut connection, bucket, key, etag, now).await? {
                return Ok(());
            }
            drop(connection);
            if Instant::now() >= deadline {
                let path = &upload.path;
                return Err(Error::Busy(format!(
                    "An earlier object at {path} is still being removed"
                )));
            }
            checks += 1;
            tokio::time::sleep(BACKOFF.delay(checks)).await;
        }
    }
}
