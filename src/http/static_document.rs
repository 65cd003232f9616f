//! Documents that do not change while the process runs, with an ETag by which clients and caches
//! ask whether their copy is current.

use std::borrow::Cow;

use actix_web::http::header::{
    self, AcceptEncoding, CacheControl, CacheDirective, ContentEncoding, ETag, Encoding, EntityTag,
    IfNoneMatch,
};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use sha2::{Digest as _, Sha256};

/// The cache lifetime of a document that never changes, in seconds: a year.
const IMMUTABLE_SECONDS: u32 = 31_536_000;

/// A document and its ETag.
#[derive(Debug)]
pub struct StaticDocument {
    content_type: &'static str,
    is_immutable: bool,
    /// The document as it is, and then in the content codings that it is available in.
    codings: Vec<Coded>,
}

/// A document in one content coding. Its ETag differs from those of the others (RFC 9110, section
/// 8.8.3.3).
#[derive(Debug)]
struct Coded {
    coding: ContentEncoding,
    body: Cow<'static, [u8]>,
    etag: EntityTag,
}

impl Coded {
    fn new(coding: ContentEncoding, body: Cow<'static, [u8]>) -> Self {
        let etag = EntityTag::new_strong(hex::encode(Sha256::digest(&body)));
        Self { coding, body, etag }
    }
}

impl StaticDocument {
    /// A document whose ETag follows from its text, so that it is the same in all replicas of one
    /// version.
    pub fn new(content_type: &'static str, body: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            content_type,
            is_immutable: false,
            codings: vec![Coded::new(ContentEncoding::Identity, body.into())],
        }
    }

    /// Adds the document in a content coding. The first one that a client accepts with its highest
    /// weight is sent.
    pub fn coded(mut self, coding: ContentEncoding, body: &'static [u8]) -> Self {
        self.codings.push(Coded::new(coding, body.into()));
        self
    }

    /// Declares that the document at this URL never changes, so that caches need not ask again.
    pub fn immutable(self) -> Self {
        Self {
            is_immutable: true,
            ..self
        }
    }

    /// The response to a GET: the document, or 304 without a body if `If-None-Match` names its
    /// ETag. A cache may keep it. Unless the document is immutable, the cache asks each time,
    /// because an upgrade of the broker changes the document.
    pub fn respond(&'static self, request: &HttpRequest) -> HttpResponse {
        let Some(coded) = self.coding_for(request) else {
            // Without codings there would be no document; see `new`.
            return HttpResponse::NotAcceptable().finish();
        };
        let is_current = match request.get_header::<IfNoneMatch>() {
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(known)) => known.iter().any(|one| one.weak_eq(&coded.etag)),
            None => false,
        };
        let mut response = match is_current {
            true => HttpResponse::NotModified(),
            false => HttpResponse::Ok(),
        };
        response
            .insert_header(ETag(coded.etag.clone()))
            .insert_header(CacheControl(self.cache_directives()));
        if self.codings.len() > 1 {
            response.append_header((header::VARY, "Accept-Encoding"));
        }
        if is_current {
            return response.finish();
        }
        if coded.coding != ContentEncoding::Identity {
            response.insert_header((header::CONTENT_ENCODING, coded.coding.as_str()));
        }
        response.insert_header((header::CONTENT_TYPE, self.content_type));
        match &coded.body {
            Cow::Borrowed(body) => response.body(*body),
            Cow::Owned(body) => response.body(body.as_slice()),
        }
    }

    /// The coding that the client prefers; the document as it is if it accepts none.
    fn coding_for(&self, request: &HttpRequest) -> Option<&Coded> {
        let accepted = request.get_header::<AcceptEncoding>();
        let available: Vec<Encoding> = (self.codings.iter().rev())
            .map(|coded| Encoding::Known(coded.coding))
            .collect();
        let chosen = accepted.and_then(|accepted| accepted.negotiate(available.iter()));
        let chosen = chosen.unwrap_or_else(Encoding::identity);
        self.codings
            .iter()
            .find(|coded| Encoding::Known(coded.coding) == chosen)
            .or(self.codings.first())
    }

    fn cache_directives(&self) -> Vec<CacheDirective> {
        match self.is_immutable {
            true => vec![
                CacheDirective::Public,
                CacheDirective::MaxAge(IMMUTABLE_SECONDS),
                CacheDirective::Extension("immutable".to_owned(), None),
            ],
            false => vec![CacheDirective::NoCache],
        }
    }
}
