//! Access checks that S3 makes and s3s does not, after s3s has verified the signature.
//!
//! s3s verifies the headers that the signature names. S3 also rejects `x-amz-*` headers that the signature
//! does not name: otherwise the holder of a pre-signed URL could add a storage class or a checksum.

use async_trait::async_trait;
use hyper::HeaderMap;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};
use url::form_urlencoded;

/// The longest validity that SigV4 allows: one week.
const MAX_EXPIRES_SECONDS: u64 = 604_800;

/// The only valid key pair.
pub(super) struct OnlyKey {
    pub access_key: String,
    pub secret_key: SecretKey,
}

#[async_trait]
impl S3Auth for OnlyKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key != self.access_key {
            return Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            ));
        }
        Ok(self.secret_key.clone())
    }
}

/// Checks every request with a valid signature.
pub(super) struct Access {
    region: String,
}

impl Access {
    pub(super) fn new(region: String) -> Self {
        Self { region }
    }
}

#[async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        if cx.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        if cx.s3_op().name() == "PostObject" {
            // The policy of the form is signed, and s3s compares the form with it.
            return Ok(());
        }
        let query = cx.uri().query().unwrap_or_default();
        let signature = Signature::of_query(query).or_else(|| Signature::of_header(cx.headers()));
        let Some(signature) = signature else {
            return Err(s3_error!(
                InvalidRequest,
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
            ));
        };
        signature.check_region(&self.region)?;
        signature.check_expires()?;
        signature.check_all_signed(cx.headers())
    }
}

/// The parameters of a SigV4 signature.
struct Signature {
    presigned: bool,
    /// `key/date/region/service/aws4_request`.
    credential: String,
    signed_headers: String,
    expires: Option<String>,
}

impl Signature {
    /// Reads the parameters of a pre-signed URL. Returns `None` for a SigV2 URL, which has a parameter
    /// `Signature`; s3s checks that one first.
    fn of_query(query: &str) -> Option<Self> {
        let find = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if find("Signature").is_some() {
            return None;
        }
        find("X-Amz-Signature")?;
        Some(Self {
            presigned: true,
            credential: find("X-Amz-Credential")?,
            signed_headers: find("X-Amz-SignedHeaders")?,
            expires: find("X-Amz-Expires"),
        })
    }

    /// Reads the parameters of an `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    fn of_header(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get(hyper::header::AUTHORIZATION)?.to_str().ok()?;
        let fields = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let find = |name: &str| {
            let mut pairs = fields
                .split(',')
                .filter_map(|field| field.trim().split_once('='));
            pairs
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.to_owned())
        };
        Some(Self {
            presigned: false,
            credential: find("Credential")?,
            signed_headers: find("SignedHeaders")?,
            expires: None,
        })
    }

    fn check_region(&self, expected: &str) -> S3Result<()> {
        let region = self.credential.rsplit('/').nth(2).unwrap_or_default();
        match (region == expected, self.presigned) {
            (true, _) => Ok(()),
            (false, true) => Err(s3_error!(
                AuthorizationQueryParametersError,
                "Error parsing the X-Amz-Credential parameter; the region '{region}' is wrong; expecting '{expected}'"
            )),
            (false, false) => Err(s3_error!(
                AuthorizationHeaderMalformed,
                "The authorization header is malformed; the region '{region}' is wrong; expecting '{expected}'"
            )),
        }
    }

    fn check_expires(&self) -> S3Result<()> {
        let seconds = self
            .expires
            .as_ref()
            .and_then(|text| text.parse::<u64>().ok());
        if seconds.is_some_and(|seconds| seconds > MAX_EXPIRES_SECONDS) {
            return Err(s3_error!(
                AuthorizationQueryParametersError,
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
            ));
        }
        Ok(())
    }

    fn check_all_signed(&self, headers: &HeaderMap) -> S3Result<()> {
        let signed = |name: &str| {
            self.signed_headers
                .split(';')
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        let missing: Vec<&str> = headers
            .keys()
            .map(|name| name.as_str())
            .filter(|name| must_be_signed(name) && !signed(name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed: {}",
            missing.join(", ")
        ))
    }
}

/// `x-amz-content-sha256` need not be signed, because it can only make a request stricter: s3s compares
/// the body with it.
fn must_be_signed(header: &str) -> bool {
    header.starts_with("x-amz-") && header != "x-amz-content-sha256"
}
