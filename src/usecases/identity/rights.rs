//! What a caller may do, for programs that adapt to it, such as the web page.

use crate::domain::bounds::smaller_limit;
use crate::domain::principal::Principal;
use crate::usecases::context::Broker;

/// The limits for uploads of a caller. Each create is validated again; these are for programs that
/// want to reject a file before they send a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadLimits {
    /// The largest object in bytes: the smallest of the limits of the installation, the tenant and
    /// the credential, and of the bytes that an upload token was issued for.
    pub max_size: u64,
    /// The content types that uploads may have, in lower case; `type/*` allows all subtypes. `None`
    /// allows all. If both the installation and the tenant have a list, an upload must match both;
    /// this is then the one of the tenant.
    pub content_types: Option<Vec<String>>,
    /// Larger objects are uploaded in parts by default, in bytes.
    pub multipart_threshold: u64,
}

impl Broker {
    /// Returns the limits for uploads of a caller, without a request to Postgres or S3.
    pub fn upload_limits_of(&self, principal: &Principal) -> UploadLimits {
        let bounds = &principal.bounds;
        let max_size = self.limits(&principal.policy).max_size();
        let of_token = bounds.token_allowances.as_ref();
        let of_token = of_token.and_then(|allowances| allowances.max_bytes());
        let of_credential = smaller_limit(bounds.max_size, of_token);
        let of_installation = self.rules.content_types.patterns();
        let content_types = principal.policy.content_types.as_deref();
        UploadLimits {
            max_size: of_credential.map_or(max_size, |limit| limit.min(max_size)),
            content_types: content_types.or(of_installation).map(<[_]>::to_vec),
            multipart_threshold: self.rules.multipart_threshold,
        }
    }
}
