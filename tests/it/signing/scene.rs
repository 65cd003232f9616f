//! The input of both signers: the settings of an S3 client, credentials, a time and a lifetime.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Region};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use chrono::{DateTime, Utc};
use upload_broker::objects::credentials::Credentials;
use upload_broker::objects::endpoint::Endpoint;
use upload_broker::objects::sign::Signer;

#[derive(Debug, Clone)]
pub struct Scene {
    pub region: &'static str,
    pub bucket: &'static str,
    pub endpoint_url: Option<String>,
    pub path_style: bool,
    pub fips: bool,
    pub dual_stack: bool,
    pub accelerate: bool,
    pub access_key: String,
    pub secret: String,
    pub token: Option<String>,
    pub seconds: u64,
    pub nanos: u32,
    pub expires_in: u32,
}

impl Scene {
    /// AWS itself with default options.
    pub fn aws(region: &'static str, bucket: &'static str) -> Self {
        Self {
            region,
            bucket,
            endpoint_url: None,
            path_style: false,
            fips: false,
            dual_stack: false,
            accelerate: false,
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            token: None,
            seconds: 1_369_353_600,
            nanos: 0,
            expires_in: 86_400,
        }
    }

    /// A custom endpoint.
    pub fn custom(endpoint_url: &str, bucket: &'static str, path_style: bool) -> Self {
        Self {
            endpoint_url: Some(endpoint_url.into()),
            path_style,
            ..Self::aws("us-east-1", bucket)
        }
    }

    pub fn client(&self) -> Client {
        let mut config = Builder::new()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.region))
            .force_path_style(self.path_style)
            .use_fips(self.fips)
            .use_dual_stack(self.dual_stack)
            .accelerate(self.accelerate)
            .credentials_provider(self.sdk_credentials());
        config.set_endpoint_url(self.endpoint_url.clone());
        Client::from_conf(config.build())
    }

    pub fn signer(&self) -> Signer {
        Signer::new(wait(Endpoint::resolve(&self.client(), self.bucket)).unwrap())
    }

    fn sdk_credentials(&self) -> aws_credential_types::Credentials {
        let token = self.token.clone();
        aws_credential_types::Credentials::new(&self.access_key, &self.secret, token, None, "test")
    }

    pub fn credentials(&self) -> Arc<Credentials> {
        Arc::new(Credentials::from(&self.sdk_credentials()))
    }

    /// The same credentials with an expiry.
    pub fn credentials_until(&self, end: DateTime<Utc>) -> Arc<Credentials> {
        let mut given = self.sdk_credentials();
        *given.expiry_mut() = Some(end.into());
        Arc::new(Credentials::from(&given))
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.start_time().into()
    }

    fn start_time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::new(self.seconds, self.nanos)
    }

    pub fn presigning(&self) -> PresigningConfig {
        PresigningConfig::builder()
            .start_time(self.start_time())
            .expires_in(Duration::from_secs(self.expires_in.into()))
            .build()
            .unwrap()
    }
}

/// The headers that the SDK signs, in the form that the broker uses: lower case and sorted.
pub fn headers_of(presigned: &PresignedRequest) -> Vec<(String, String)> {
    let mut headers: Vec<_> = presigned
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    headers.sort();
    headers
}

/// Runs an SDK future to its end. The SDK is async even where it waits for nothing, and requires
/// timers.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(future)
}
