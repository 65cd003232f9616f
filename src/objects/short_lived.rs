//! Requests with a short-lived signature. The store refuses a request that arrives after its
//! signature has expired.
//!
//! A signature in the headers is valid for 15 minutes; one in the query carries its own validity
//! (`X-Amz-Expires`). Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version
//! 4)", Amazon S3 API Reference.

use std::time::Duration;

use aws_runtime::auth::{HttpSignatureType, SigV4OperationSigningConfig};
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sigv4::http_request::SignableBody;
use aws_smithy_runtime_api::box_error::BoxError;

/// Signs a request without a body in its query. The signature is valid for this time.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortLived(pub Duration);

impl Intercept for ShortLived {
    fn name(&self) -> &'static str {
        "ShortLived"
    }

    fn modify_before_signing(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let signing = config.load::<SigV4OperationSigningConfig>().cloned();
        let mut signing = signing.ok_or("the request has no signing configuration")?;
        signing.signing_options.expires_in = Some(self.0);
        signing.signing_options.signature_type = HttpSignatureType::HttpRequestQueryParams;
        signing.signing_options.payload_override = Some(SignableBody::UnsignedPayload);
        config.interceptor_state().store_put(signing);
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // The signer does not include this header in a query signature, and S3 refuses `x-amz-`
        // headers that are not signed.
        context
            .request_mut()
            .headers_mut()
            .remove("x-amz-user-agent");
        Ok(())
    }
}
