//! Limits: those of the installation, restricted by those of the tenant.
//!
//! A principal contains its tenant's limits ([`Principal::policy`]). If there is no caller, as for
//! an S3 event or in the janitor, they are read from Postgres and cached for a few seconds.
//!
//! [`Principal::policy`]: crate::domain::principal::Principal::policy

use std::sync::Arc;

use crate::config::content_types::matches;
use crate::domain::proof::SizeLimit;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::tenant::TenantPolicy;
use crate::domain::upload::Upload;
use crate::objects::sign::MAX_EXPIRES_IN;
use crate::store::tenants;
use crate::usecases::context::{Broker, Rules};
use crate::usecases::error::{Error, Result, shared};
use crate::usecases::faults::Faults;
use crate::usecases::uploads::create::validate::MAX_PUT_BYTES;

/// The installation's limits, restricted by those of a tenant.
#[derive(Clone, Copy)]
pub(in crate::usecases) struct Limits<'a> {
    rules: &'a Rules,
    policy: &'a TenantPolicy,
}

impl Broker {
    pub(in crate::usecases) fn limits<'a>(&'a self, policy: &'a TenantPolicy) -> Limits<'a> {
        let rules = &self.rules;
        Limits { rules, policy }
    }

    /// Returns the limits of a tenant if there is no caller; also of a disabled tenant.
    pub(in crate::usecases) async fn policy_of(&self, tenant: &str) -> Result<Arc<TenantPolicy>> {
        if let Some(policy) = self.caches.policies.get(tenant).await {
            return Ok(policy);
        }
        let load = async {
            let mut connection = self.connection().await?;
            let found = tenants::find(&mut connection, tenant).await?;
            let policy = found.map(|tenant| tenant.policy).unwrap_or_default();
            Ok::<_, Error>(Arc::new(policy))
        };
        let policy = self.caches.policies.try_get_with_by_ref(tenant, load).await;
        policy.map_err(|error| shared(&error))
    }

    /// Returns the largest permitted object of an upload, in bytes: by the tenant's current limit,
    /// and by the limit of the credential that created the upload.
    pub(in crate::usecases) async fn max_size_of(&self, upload: &Upload) -> Result<u64> {
        let policy = self.policy_of(&upload.tenant).await?;
        Ok(self.limits(&policy).max_size_of(upload))
    }

    /// Returns the size limit of an upload's object, regardless of what triggers the proof.
    pub(in crate::usecases) async fn size_limit_of(&self, upload: &Upload) -> Result<SizeLimit> {
        match upload.size_at_create() {
            Some(_) => Ok(SizeLimit::UNLIMITED),
            None => Ok(SizeLimit(self.max_size_of(upload).await?)),
        }
    }
}

/// The refusal of an object that is too large, in bytes.
pub(in crate::usecases) fn too_large(upload: &Upload, size: u64, limit: u64) -> Refusal {
    Refusal {
        upload_id: Some(upload.id),
        ..Refusal::new(
            Code::SizeLimitExceeded,
            format!("{size} bytes are more than the limit of {limit} bytes."),
        )
    }
}

impl Limits<'_> {
    /// Returns the largest permitted object, in bytes.
    pub(in crate::usecases) fn max_size(self) -> u64 {
        let own = self.policy.max_size.unwrap_or(u64::MAX);
        own.min(self.rules.max_size)
    }

    /// Returns the largest permitted object of an upload, in bytes.
    pub(in crate::usecases) fn max_size_of(self, upload: &Upload) -> u64 {
        self.max_size().min(upload.max_size.unwrap_or(u64::MAX))
    }

    /// Returns the longest lifetime of a URL, in seconds.
    fn max_url_seconds(self) -> u32 {
        let own = self.policy.max_url_seconds.unwrap_or(MAX_EXPIRES_IN);
        own.min(MAX_EXPIRES_IN)
    }

    /// Returns the default lifetime of a URL, in seconds.
    pub(in crate::usecases) fn url_seconds(self) -> u32 {
        let own = self.policy.url_seconds.unwrap_or(self.rules.url_seconds);
        own.min(self.max_url_seconds())
    }

    /// Returns the lifetime of a fresh URL of an upload, in seconds: that of its first URL, limited
    /// by the current longest lifetime.
    pub(in crate::usecases) fn lifetime(self, upload: &Upload) -> u32 {
        upload.lifetime_seconds.min(self.max_url_seconds())
    }

    /// Validates a lifetime that a client requests against the longest one.
    pub(in crate::usecases) fn check_lifetime(self, faults: &mut Faults, seconds: u32) {
        faults.lifetime(seconds, self.max_url_seconds());
    }

    /// Validates a new upload against the limits. `bound` is the limit of the credential, in bytes.
    pub(in crate::usecases) fn allow(
        self,
        content_type: &str,
        size: Option<u64>,
        in_parts: bool,
        bound: Option<u64>,
    ) -> Result<(), Refusal> {
        let lists = [
            self.rules.content_types.patterns(),
            self.policy.content_types.as_deref(),
        ];
        if let Some(list) = (lists.into_iter().flatten()).find(|list| !matches(list, content_type))
        {
            return Err(content_type_not_allowed(list, content_type));
        }
        let most = match in_parts {
            true => self.max_size(),
            false => self.max_size().min(MAX_PUT_BYTES),
        };
        let most = most.min(bound.unwrap_or(most));
        match size {
            Some(size) if size > most => Err(Refusal {
                errors: Refusal::field("/size", format!("expected at most {most} bytes")).errors,
                ..Refusal::new(
                    Code::SizeLimitExceeded,
                    format!("{size} bytes are more than the limit of {most} bytes."),
                )
            }),
            _ => Ok(()),
        }
    }
}

fn content_type_not_allowed(list: &[String], content_type: &str) -> Refusal {
    let allowed = list.join(", ");
    Refusal {
        errors: Refusal::field("/content_type", "is not in the list of allowed types").errors,
        ..Refusal::new(
            Code::ContentTypeNotAllowed,
            format!("{content_type} may not be uploaded here; allowed: {allowed}."),
        )
    }
}
