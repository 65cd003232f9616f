//! CORS: pages of any origin may use the store from a browser. This is safe, because requests are
//! authenticated by signatures and not by cookies, which a foreign origin could misuse.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Request, Response};
use s3s::{Body, HttpResponse, S3Result};

use super::errors::bad_request;

const METHODS: &str = "GET, PUT, POST, HEAD, DELETE";
/// The response headers that scripts may read, in addition to those that browsers always expose.
const EXPOSED: &str = "ETag, Location, Content-Length, Content-Range, Content-Encoding, \
    Content-Disposition, Accept-Ranges, Last-Modified, Date, x-amz-checksum-crc32, \
    x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, x-amz-checksum-sha1, x-amz-checksum-sha256, \
    x-amz-checksum-type, x-amz-version-id, x-amz-storage-class, x-amz-tagging-count, \
    x-amz-meta-upload-id, x-amz-request-id";
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
/// How long a browser may cache the response to a preflight request.
const MAX_AGE_SECONDS: &str = "3600";

/// Responds to OPTIONS: allows a preflight request, and rejects any other with the errors of S3.
pub(super) fn preflight<B>(req: &Request<B>) -> S3Result<HttpResponse> {
    let headers = req.headers();
    if !headers.contains_key(ORIGIN) {
        return Err(bad_request(
            "Insufficient information. Origin request header needed.",
        ));
    }
    if !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return Err(bad_request("Invalid Access-Control-Request-Method: null"));
    }
    let mut response = Response::new(Body::empty());
    let allowed = response.headers_mut();
    allowed.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(METHODS),
    );
    allowed.insert(
        ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static(MAX_AGE_SECONDS),
    );
    if let Some(requested) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        allowed.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    Ok(response)
}

pub(super) fn is_preflight<B>(req: &Request<B>) -> bool {
    req.method() == Method::OPTIONS
}

/// Allows scripts of any origin to read the response.
pub(super) fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    headers.append(VARY, HeaderValue::from_static(VARIES));
}
