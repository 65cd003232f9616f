//! What every verb works with.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::{ContentTypes, StaleMultipart};
use crate::domain::bounds::TokenAllowances;
use crate::domain::encryption::Encryption;
use crate::domain::jail::Jail;
use crate::identity::jwt::Jwt;
use crate::identity::upload_token::TokenKey;
use crate::objects::credentials::CredentialsCache;
use crate::objects::{Bucket, Buckets};
use crate::store::lease::Lease;
use crate::store::pool::{Pool, Pooled};
use crate::store::tenants;
use crate::telemetry::{self, metrics::Metrics};
use crate::usecases::audit::Audit;
use crate::usecases::batching::{Group, Groups};
use crate::usecases::connection_limit::Lanes;
use crate::usecases::error::{Error, Result};
use crate::usecases::identity::authenticate::KeyCache;
use crate::usecases::listening::Listening;
use crate::usecases::maintenance::retain::Retention;
use crate::usecases::tenants::limits::Policies;
use crate::usecases::uploads::acknowledge::{LockedProof, Proof, Turns};
use crate::usecases::uploads::create::allowance::CountedRow;
use crate::usecases::uploads::create::insert::NewRow;
use crate::usecases::uploads::create::quota::LeftRow;

/// Limits and defaults, from the settings.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a URL lives where the client does not say, in seconds.
    pub url_seconds: u32,
    /// The largest object, in bytes.
    pub max_size: u64,
    /// What is larger comes in parts where the client does not say, in bytes.
    pub multipart_threshold: u64,
    /// What is larger is copied in parts, in bytes.
    pub copy_threshold: u64,
    /// How long after its creation a session may be extended to, in seconds.
    pub session_max_seconds: u32,
    /// How long S3 may take to make an object of its parts, or to copy one.
    pub complete_patience: Duration,
    /// What the store is asked to do with the bytes at rest; nothing: as the bucket says.
    pub encryption: Option<Encryption>,
    /// Which content types uploads may have.
    pub content_types: ContentTypes,
    /// How long a row is held by a replica that gives no sign of life.
    pub lease: Duration,
    /// How long past its deadline an upload stays Pending, in seconds.
    pub grace_seconds: u32,
    /// Whether callers need a key.
    pub authentication: bool,
    /// Whether callers' deeds are written down.
    pub audited: bool,
    /// How long what is over is kept.
    pub retention: Retention,
    /// When multipart uploads that no row knows are aborted.
    pub stale_multipart: StaleMultipart,
}

/// The parts, wired together; shared by every request and loop.
pub struct Broker {
    /// Connections to Postgres.
    pub pool: Pool,
    /// The common bucket, and those of tenants.
    pub buckets: Buckets,
    /// What URLs are signed with.
    pub credentials: CredentialsCache,
    /// Limits and defaults.
    pub rules: Rules,
    /// The time.
    pub clock: Clock,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Keys and tokens that were seen lately.
    pub keys: KeyCache,
    /// What was done, on its way to Postgres.
    pub audit: Audit,
    /// What tenants may, as far as somebody asked lately.
    pub policies: Policies,
    /// Whose JWTs are believed; nobody's without this.
    pub jwt: Option<Jwt>,
    /// What upload tokens are signed with, once it is known.
    pub token_key: OnceCell<TokenKey>,
    /// Woken when an event was written; the relay waits for it.
    pub outbox: Arc<Notify>,
    /// New rows that wait for each other.
    pub creates: Arc<Group<NewRow>>,
    /// Those of them that wait for their tenant's quotas, by tenant.
    pub left: Groups<String, LeftRow>,
    /// The same of those that are counted against upload tokens, by what the token allows.
    pub counted: Groups<Arc<TokenAllowances>, CountedRow>,
    /// Whose new rows wait with a connection in the hand.
    pub lanes: Lanes,
    /// Proofs that wait for each other.
    pub proofs: Arc<Group<Proof>>,
    /// Those of them whose rows are locked, by tenant.
    pub locked: Groups<String, LockedProof>,
    /// Uploads in parts that are completed at this moment.
    pub turns: Turns,
    /// Copies that may run at this moment.
    pub copies: Arc<Semaphore>,
    /// The process's own runtime: the HTTP server's threads end before its verbs do.
    pub runtime: Handle,
    /// Whether the store's events reach us.
    pub s3_events: Listening,
    /// Verbs and what they share, as far as under way; a stop waits for them.
    pub under_way: TaskTracker,
    /// The verbs among them, one a caller, also of those who hung up.
    pub verbs: TaskTracker,
}

impl Broker {
    /// A connection to Postgres, within the pool's bound.
    pub(in crate::usecases) async fn connection(&self) -> Result<Pooled> {
        Ok(self.pool.get().await?)
    }

    /// A lease for rows that are about to be claimed.
    pub(in crate::usecases) fn new_lease(&self) -> Lease {
        Lease::new(&self.clock, self.rules.lease)
    }

    /// The bucket of this name. Names come from rows and tenants, never from a caller.
    pub(in crate::usecases) async fn bucket(&self, name: &str) -> Result<Arc<Bucket>> {
        let bucket = self.buckets.at(name).await;
        bucket.map_err(|cause| Error::Internal(cause.into()))
    }

    /// The names of the buckets that were met, the common one first.
    pub fn met_buckets(&self) -> Vec<String> {
        let met = self.buckets.known().into_iter();
        met.map(|bucket| bucket.objects.bucket().to_owned())
            .collect()
    }

    /// Every bucket that may hold uploads, the common one first.
    pub async fn all_buckets(&self) -> Result<Vec<String>> {
        let mut connection = self.connection().await?;
        let own = tenants::buckets(&mut connection).await?;
        let common = self.buckets.common();
        let own = own.into_iter().filter(|own| own != common);
        Ok(std::iter::once(common.to_owned()).chain(own).collect())
    }

    /// Whether uploads may live in this bucket, which somebody else named.
    pub(in crate::usecases) async fn is_ours(&self, bucket: &str) -> Result<bool> {
        if bucket == self.buckets.common() {
            return Ok(true);
        }
        let mut connection = self.connection().await?;
        Ok(tenants::has_bucket(&mut connection, bucket).await?)
    }

    /// The name of the bucket that a jail is in.
    pub(in crate::usecases) fn bucket_name<'a>(&'a self, jail: &'a Jail) -> &'a str {
        jail.bucket().unwrap_or_else(|| self.buckets.common())
    }

    /// The bucket that a jail is in.
    pub(in crate::usecases) async fn bucket_of(&self, jail: &Jail) -> Result<Arc<Bucket>> {
        self.bucket(self.bucket_name(jail)).await
    }

    /// Runs a verb to its end, even if the caller stops waiting for it.
    pub async fn to_end<T: Send + 'static>(
        self: &Arc<Self>,
        verb: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let counted = self.verbs.token();
        let verb = async move {
            let _counted = counted;
            verb.await
        };
        // The task does not inherit the request's id; its lines shall carry it all the same.
        let task = match telemetry::log::request_id() {
            Some(id) => self.spawn(telemetry::log::with_request_id(id, verb)),
            None => self.spawn(verb),
        };
        task.await
            .unwrap_or_else(|died| Err(Error::Internal(died.into())))
    }

    /// Runs `work` where it outlives the HTTP server's threads; a stop waits for it.
    pub(in crate::usecases) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.under_way.spawn_on(work, &self.runtime)
    }
}
