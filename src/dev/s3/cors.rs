//! CORS: any origin may use the store from a browser. Its requests are signed, not cookied, so
//! there is nothing that an origin could borrow.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::{Method, Request, Response};
use s3s::{Body, HttpResponse, S3Result};

use super::errors::bad_request;

const METHODS: &str = "GET, PUT, POST, HEAD, DELETE";
/// What scripts may read of an answer, beyond what browsers always show them.
const EXPOSED: &str = "ETag, Location, Content-Length, Content-Range, Content-Encoding, \
    Content-Disposition, Accept-Ranges, Last-Modified, Date, x-amz-checksum-crc32, \
    x-amz-checksum-crc32c, x-amz-checksum-crc64nvme, x-amz-checksum-sha1, x-amz-checksum-sha256, \
    x-amz-checksum-type, x-amz-version-id, x-amz-storage-class, x-amz-tagging-count, \
    x-amz-meta-upload-id, x-amz-request-id";
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
/// How long a browser may remember a preflight's answer.
const MAX_AGE_SECONDS: &str = "3600";

/// Answers OPTIONS: with the permission, or as S3 does when it is no preflight.
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
    if let Some(asked) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        allowed.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    Ok(response)
}

pub(super) fn is_preflight<B>(req: &Request<B>) -> bool {
    req.method() == Method::OPTIONS
}

/// Lets scripts of any origin read the answer.
pub(super) fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    headers.append(VARY, HeaderValue::from_static(VARIES));
}
