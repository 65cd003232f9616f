//! The CORS rules of the bucket.

use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::types::{self, CorsConfiguration};

use super::error::refused_or_failed;
use crate::objects::store::{ObjectStore, StoreError, failed};

/// A CORS rule with all attributes that S3 stores, so that a rule that was read can be written
/// back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorsRule {
    /// The name of the rule.
    pub id: Option<String>,
    /// The origins, each with at most one `*`.
    pub origins: Vec<String>,
    /// The HTTP methods in upper case.
    pub methods: Vec<String>,
    /// The headers that a page may send, each with at most one `*`.
    pub headers: Vec<String>,
    /// The headers that a page may read.
    pub exposed: Vec<String>,
    /// How long a browser may cache the rule, in seconds.
    pub max_age: Option<i32>,
}

impl ObjectStore {
    /// Returns all rules, in the order in which the store evaluates them.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if the store denies or lacks the operation.
    pub async fn cors(&self) -> Result<Vec<CorsRule>, StoreError> {
        let call = self.client.get_bucket_cors().bucket(self.bucket()).send();
        match self.timed("GetBucketCors", call).await {
            Ok(output) => Ok(output.cors_rules().iter().map(read).collect()),
            Err(error) if error.code() == Some("NoSuchCORSConfiguration") => Ok(Vec::new()),
            Err(error) => Err(refused_or_failed("GetBucketCors", error)),
        }
    }

    /// Replaces all rules. S3 has no call that adds a rule.
    ///
    /// # Errors
    /// Nothing was changed, or everything was if only the answer was lost.
    pub async fn set_cors(&self, rules: &[CorsRule]) -> Result<(), StoreError> {
        let built = rules.iter().map(write).collect::<Result<Vec<_>, _>>();
        let built = built
            .and_then(|rules| (CorsConfiguration::builder().set_cors_rules(Some(rules))).build());
        let configuration = built.map_err(|cause| StoreError::Failed {
            answer: None,
            operation: "PutBucketCors",
            cause: cause.into(),
        })?;
        let call = (self.client.put_bucket_cors())
            .bucket(self.bucket())
            .cors_configuration(configuration);
        (self.timed("PutBucketCors", call.send()).await)
            .map(drop)
            .map_err(|error| failed("PutBucketCors", error))
    }
}

fn read(rule: &types::CorsRule) -> CorsRule {
    CorsRule {
        id: rule.id.clone(),
        origins: rule.allowed_origins.clone(),
        methods: rule.allowed_methods.clone(),
        headers: rule.allowed_headers.clone().unwrap_or_default(),
        exposed: rule.expose_headers.clone().unwrap_or_default(),
        max_age: rule.max_age_seconds,
    }
}

fn write(
    rule: &CorsRule,
) -> Result<types::CorsRule, aws_smithy_types::error::operation::BuildError> {
    let some = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    types::CorsRule::builder()
        .set_id(rule.id.clone())
        .set_allowed_origins(Some(rule.origins.clone()))
        .set_allowed_methods(Some(rule.methods.clone()))
        .set_allowed_headers(some(&rule.headers))
        .set_expose_headers(some(&rule.exposed))
        .set_max_age_seconds(rule.max_age)
        .build()
}
