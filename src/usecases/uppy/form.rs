//! Signs the form in which an Uppy client sends a file.

use chrono::{DateTime, Utc};

use crate::domain::bounds::capped_url_seconds;
use crate::domain::principal::Principal;
use crate::domain::upload::Upload;
use crate::objects::sign::PostForm;
use crate::usecases::context::Broker;
use crate::usecases::error::{Dependency, Error, Result};
use crate::usecases::uploads::create::validate::MAX_PUT_BYTES;
use crate::usecases::uploads::session::{as_object, id_buffer, tagging};

/// A signed form. It is a credential, so there is no `Debug`.
pub struct UppyForm {
    /// The address to POST the form to.
    pub url: String,
    /// The fields, in order, before the field `file`.
    pub fields: Vec<(&'static str, String)>,
    /// When the form expires.
    pub expires_at: DateTime<Utc>,
    /// The seconds until then.
    pub expires_in: i64,
}

impl Broker {
    /// Signs a form for the bytes of an upload. S3 refuses a size other than the declared one, or else
    /// one over the limit of the upload, and any other field.
    pub(super) async fn sign_form(
        &self,
        principal: &Principal,
        upload: &Upload,
    ) -> Result<UppyForm> {
        let now = self.clock.now();
        let credentials = (self.stores.credentials.get(now).await)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        let limits = self.limits(&principal.policy);
        let most = limits.max_size_of(upload).min(MAX_PUT_BYTES);
        let sizes = match upload.declared.size {
            Some(size) => size..=size,
            None => 0..=most,
        };
        let ends_at = principal.bounds.ends_at;
        let seconds = capped_url_seconds(limits.lifetime(upload), ends_at, now);
        let mut id = id_buffer();
        let id = upload.id.hyphenated().encode_lower(&mut id);
        let tagging = tagging(upload);
        let bucket = self.bucket(&upload.bucket).await?;
        let form = PostForm {
            object: as_object(upload, id, tagging.as_deref()),
            bucket: &upload.bucket,
            sizes,
        };
        let signed = (bucket.signer)
            .post_form(&form, seconds, &credentials, now)
            .map_err(|cause| Error::unavailable(Dependency::S3, cause))?;
        Ok(UppyForm {
            url: signed.url,
            fields: signed.fields,
            expires_at: signed.expires_at,
            expires_in: (signed.expires_at.timestamp() - now.timestamp()).max(1),
        })
    }
}
