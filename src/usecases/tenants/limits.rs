//! Limits: those of the install, narrowed by those of the tenant.
//!
//! A caller brings its tenant's with it ([`Principal::policy`]). Where nobody calls, as with an
//! event of S3 or in the janitor, they are looked up, and believed for a few seconds.
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

/// The install's limits, narrowed by those of a tenant.
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

    /// What a tenant's uploads are held to where nobody calls; also of a disabled one.
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

    /// The largest object that an upload may become, in bytes: as its tenant may by now, and as
    /// the credential might that it was made with.
    pub(in crate::usecases) async fn max_size_of(&self, upload: &Upload) -> Result<u64> {
        let policy = self.policy_of(&upload.tenant).await?;
        Ok(self.limits(&policy).max_size_of(upload))
    }

    /// What the object of an upload is held to, whoever proves it.
    pub(in crate::usecases) async fn size_limit_of(&self, upload: &Upload) -> Result<SizeLimit> {
        match upload.size_at_create() {
            Some(_) => Ok(SizeLimit::UNLIMITED),
            None => Ok(SizeLimit(self.max_size_of(upload).await?)),
        }
    }
}

/// What is larger than it may be, in bytes.
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
    /// The largest object, in bytes.
    pub(in crate::usecases) fn max_size(self) -> u64 {
        let own = self.policy.max_size.unwrap_or(u64::MAX);
        own.min(self.rules.max_size)
    }

    /// The largest object that an upload may become, in bytes.
    pub(in crate::usecases) fn max_size_of(self, upload: &Upload) -> u64 {
        self.max_size().min(upload.max_size.unwrap_or(u64::MAX))
    }

    /// The longest life of a URL, in seconds.
    fn max_url_seconds(self) -> u32 {
        let own = self.policy.max_url_seconds.unwrap_or(MAX_EXPIRES_IN);
        own.min(MAX_EXPIRES_IN)
    }

    /// How long a URL lives where the client does not say, in seconds.
    pub(in crate::usecases) fn url_seconds(self) -> u32 {
        let own = self.policy.url_seconds.unwrap_or(self.rules.url_seconds);
        own.min(self.max_url_seconds())
    }

    /// How long a fresh URL of an upload lives, in seconds: as long as its first one did, unless
    /// that is longer than URLs may live by now.
    pub(in crate::usecases) fn lifetime(self, upload: &Upload) -> u32 {
        upload.lifetime_seconds.min(self.max_url_seconds())
    }

    /// Holds a life that a client asks for against the longest one.
    pub(in crate::usecases) fn check_lifetime(self, faults: &mut Faults, seconds: u32) {
        faults.lifetime(seconds, self.max_url_seconds());
    }

    /// Holds a new upload against what may be uploaded; `bound` is that of the credential, in
    /// bytes.
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
            return Err(not_on(list, content_type));
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

fn not_on(list: &[String], content_type: &str) -> Refusal {
    let allowed = list.join(", ");
    Refusal {
        errors: Refusal::field("/content_type", "is not on the list").errors,
        ..Refusal::new(
            Code::ContentTypeNotAllowed,
            format!("{content_type} may not be uploaded here; allowed: {allowed}."),
        )
    }
}
