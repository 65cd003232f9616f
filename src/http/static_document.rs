//! Documents that do not change while the process runs, with an ETag by which clients and caches
//! ask whether their copy is current.

use actix_web::http::header::{self, CacheControl, CacheDirective, ETag, EntityTag, IfNoneMatch};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use sha2::{Digest as _, Sha256};

/// A document and its ETag.
#[derive(Debug)]
pub struct StaticDocument {
    content_type: &'static str,
    body: String,
    etag: EntityTag,
}

impl StaticDocument {
    /// A document whose ETag follows from its text, so that it is the same in all replicas of one
    /// version.
    pub fn new(content_type: &'static str, body: String) -> Self {
        let etag = EntityTag::new_strong(hex::encode(Sha256::digest(&body)));
        Self {
            content_type,
            body,
            etag,
        }
    }

    /// The response to a GET: the document, or 304 without a body if `If-None-Match` names its
    /// ETag. A cache may keep it, and asks each time, because an upgrade of the broker changes it.
    pub fn respond(&'static self, request: &HttpRequest) -> HttpResponse {
        let is_current = match request.get_header::<IfNoneMatch>() {
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(known)) => known.iter().any(|one| one.weak_eq(&self.etag)),
            None => false,
        };
        let mut response = match is_current {
            true => HttpResponse::NotModified(),
            false => HttpResponse::Ok(),
        };
        response
            .insert_header(ETag(self.etag.clone()))
            .insert_header(CacheControl(vec![CacheDirective::NoCache]));
        match is_current {
            true => response.finish(),
            false => response
                .insert_header((header::CONTENT_TYPE, self.content_type))
                .body(&*self.body),
        }
    }
}
