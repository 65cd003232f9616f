//! Tenants: creates, changes, reads and disables them.
//!
//! Every change is one transaction over the tenant's row, with an audit row; running brokers apply
//! it within seconds. The usage of a tenant with a quota is counted in the same transaction:
//! meanwhile the tenant's creates wait, so that no upload is missed and none is counted twice.
//! Other tenants do not wait. The tenant's uploads are locked in small batches, before that
//! transaction. If a step fails, nothing changes.

pub mod limits;
pub mod usage;

mod place;

use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use crate::clock::Clock;
use crate::domain::audit::{Action, ActionDetails};
use crate::domain::quota::Usage;
use crate::domain::refusal::Refusal;
use crate::domain::tenant::{Tenant, is_tenant_name};
use crate::objects::sign::MAX_EXPIRES_IN;
use crate::store::{Connection, quotas, tenants};
use crate::usecases::audit;
use crate::usecases::error::{Error, Result};
use crate::usecases::faults::Faults;
use place::{check_bucket, check_prefix};

pub use place::Place;

/// The number of uploads that are locked at a time while the usage of a tenant is counted.
const LOCKED_UPLOADS: i64 = 500;

/// The change of a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// The limit does not change.
    #[default]
    Keep,
    /// The limit is removed: the installation's limit applies.
    Remove,
    /// The limit is set to this value.
    Set(T),
}

impl<T> Change<T> {
    fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Remove => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }
}

/// The changes of a tenant's limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The quota of datasets and open uploads together, in bytes.
    pub quota_bytes: Change<u64>,
    /// The quota of Pending uploads.
    pub quota_open_uploads: Change<u64>,
    /// The largest object, in bytes.
    pub max_size: Change<u64>,
    /// The permitted content types: patterns in lower case.
    pub content_types: Change<Vec<String>>,
    /// The default lifetime of a URL, in seconds.
    pub url_seconds: Change<u32>,
    /// The longest lifetime of a URL, in seconds.
    pub max_url_seconds: Change<u32>,
    /// How long ended uploads are kept, in days.
    pub retention_days: Change<u32>,
}

impl Changes {
    fn apply(self, tenant: &mut Tenant) {
        self.quota_bytes.apply(&mut tenant.quota.bytes);
        (self.quota_open_uploads).apply(&mut tenant.quota.open_uploads);
        self.max_size.apply(&mut tenant.policy.max_size);
        self.content_types.apply(&mut tenant.policy.content_types);
        self.url_seconds.apply(&mut tenant.policy.url_seconds);
        (self.max_url_seconds).apply(&mut tenant.policy.max_url_seconds);
        self.retention_days.apply(&mut tenant.retention_days);
    }
}

/// Creates a tenant at `place`, which it keeps permanently. Refuses an existing name, and a prefix
/// that contains, or lies in, another tenant's prefix.
pub async fn create(
    connection: &mut Connection,
    clock: &Clock,
    name: &str,
    place: Place,
    changes: Changes,
) -> Result<Tenant> {
    check_name("/name", name)?;
    let mut tenant = Tenant {
        name: name.to_owned(),
        bucket: place.bucket,
        key_prefix: place.prefix.unwrap_or_else(|| format!("{name}/")),
        created_at: clock.now(),
        disabled_at: None,
        policy: <_>::default(),
        quota: <_>::default(),
        retention_days: None,
    };
    changes.apply(&mut tenant);
    let mut faults = Faults::default();
    check_prefix(&mut faults, &tenant.key_prefix);
    if let Some(bucket) = &tenant.bucket {
        check_bucket(&mut faults, bucket);
    }
    check_limits(&mut faults, &tenant);
    faults.into_result()?;
    connection
        .transaction(async |connection| {
            // The name is checked first, because the default tenant may have a prefix that
            // conflicts with no other.
            let exists = tenants::find(connection, name).await?.is_some();
            let inserted = match exists {
                true => Ok(false),
                false => tenants::insert(connection, &tenant).await,
            };
            if !inserted.map_err(|cause| prefix_conflict("/prefix", cause))? {
                let detail = format!("the tenant {name} already exists; `tenants set` changes it");
                return Err(Refusal::field("/name", detail).into());
            }
            if tenant.quota.is_some() {
                quotas::recount(connection, name).await?;
            }
            record(connection, clock, Action::TenantCreated, name).await
        })
        .await
        .map(|()| tenant)
}

/// Changes a tenant's limits. If it then has quotas, its usage is counted again.
pub async fn set(
    connection: &mut Connection,
    clock: &Clock,
    name: &str,
    changes: Changes,
) -> Result<Tenant> {
    let tenant = tenants::find(connection, name).await?;
    let mut tenant = tenant.ok_or_else(|| unknown(name))?;
    changes.clone().apply(&mut tenant);
    check(&tenant)?;
    if tenant.quota.is_some() {
        let mut next = Some(Uuid::nil());
        while let Some(after) = next {
            next = quotas::start_counting(connection, name, after, LOCKED_UPLOADS).await?;
        }
    }
    let action = Action::TenantChanged;
    let recount = Recount::Yes;
    change(connection, clock, name, action, recount, |tenant| {
        changes.apply(tenant)
    })
    .await
}

/// Disables a tenant: its credentials are rejected within seconds, and running requests continue.
/// Returns the tenant with the time at which it was disabled; disabling it again does not change
/// that time.
pub async fn disable(connection: &mut Connection, clock: &Clock, name: &str) -> Result<Tenant> {
    let now = clock.now();
    let (action, recount) = (Action::TenantDisabled, Recount::No);
    change(connection, clock, name, action, recount, |tenant| {
        tenant.disabled_at.get_or_insert(now);
    })
    .await
}

/// Enables a tenant again.
pub async fn enable(connection: &mut Connection, clock: &Clock, name: &str) -> Result<Tenant> {
    let (action, recount) = (Action::TenantEnabled, Recount::No);
    change(connection, clock, name, action, recount, |tenant| {
        tenant.disabled_at = None;
    })
    .await
}

/// Returns a tenant and its current usage.
pub async fn show(connection: &mut Connection, name: &str) -> Result<(Tenant, Usage)> {
    let tenant = tenants::find(connection, name).await?;
    let tenant = tenant.ok_or_else(|| unknown(name))?;
    let usage = quotas::usage(connection, name, tenant.quota.is_some()).await?;
    Ok((tenant, usage))
}

/// Returns every tenant, sorted by name.
pub async fn list(connection: &mut Connection) -> Result<Vec<Tenant>> {
    Ok(tenants::list(connection).await?)
}

async fn record(
    connection: &mut Connection,
    clock: &Clock,
    action: Action,
    name: &str,
) -> Result<()> {
    let actions = vec![ActionDetails::on_subject(action, name)];
    Ok(audit::record_operator(connection, clock.now(), name, actions).await?)
}

/// Whether the usage of a tenant is counted again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recount {
    /// The usage stays as it is. Creates are not blocked.
    No,
    /// The usage is counted again, if the tenant then has quotas.
    Yes,
}

async fn change(
    connection: &mut Connection,
    clock: &Clock,
    name: &str,
    action: Action,
    recount: Recount,
    change: impl FnOnce(&mut Tenant) + Send,
) -> Result<Tenant> {
    connection
        .transaction(async |connection| {
            let tenant = tenants::lock(connection, name).await?;
            let mut tenant = tenant.ok_or_else(|| unknown(name))?;
            let had_quota = tenant.quota.is_some();
            change(&mut tenant);
            check(&tenant)?;
            // Creates of a tenant that already has a quota wait for its usage row in any case.
            if tenant.quota.is_some() && !had_quota {
                tenants::block_creates(connection, name).await?;
            }
            tenants::update(connection, &tenant).await?;
            if recount == Recount::Yes && tenant.quota.is_some() {
                quotas::recount(connection, name).await?;
            }
            record(connection, clock, action, name).await?;
            Ok(tenant)
        })
        .await
}

fn unknown(name: &str) -> Refusal {
    let detail = format!("there is no tenant {name:?}; `tenants list` shows all");
    Refusal::field("/name", detail)
}

/// Validates the name of a tenant, which is the value at `pointer`.
pub(in crate::usecases) fn check_name(pointer: &str, name: &str) -> Result<(), Refusal> {
    if is_tenant_name(name) {
        return Ok(());
    }
    Err(Refusal::field(
        pointer,
        "expected 1 to 63 of a-z, 0-9, _ and -, starting with a letter or a digit",
    ))
}

fn check(tenant: &Tenant) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    check_limits(&mut faults, tenant);
    faults.into_result()
}

fn check_limits(faults: &mut Faults, tenant: &Tenant) {
    let policy = &tenant.policy;
    let most = policy.max_url_seconds.unwrap_or(MAX_EXPIRES_IN);
    if let Some(seconds) = policy.url_seconds.filter(|seconds| *seconds > most) {
        let detail = format!(
            "{seconds} is more than the longest lifetime of this tenant's URLs, {most} seconds"
        );
        faults.add("/url_seconds", detail);
    }
}

/// Converts a violation of the prefix constraint to a fault of the value at `pointer`.
pub(in crate::usecases) fn prefix_conflict(pointer: &str, error: diesel::result::Error) -> Error {
    use diesel::result::DatabaseErrorKind::{ExclusionViolation, UniqueViolation};
    use diesel::result::Error::DatabaseError;
    match error {
        DatabaseError(ExclusionViolation | UniqueViolation, _) => Refusal::field(
            pointer,
            "its key prefix would contain, or lie in, the prefix of another tenant",
        )
        .into(),
        error => error.into(),
    }
}
