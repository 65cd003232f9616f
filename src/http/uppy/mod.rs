//! `/s3`: the routes of Uppy Companion for S3, as `@uppy/aws-s3` calls them.
//!
//! Every success is a 200 with a JSON body, because the clients parse the body of each response.

pub mod abort;
pub mod complete;
mod complete_body;
pub mod create_multipart;
pub mod list_parts;
mod metadata;
pub mod params;
mod session;
pub mod sign;
pub mod sign_part;
pub mod sign_parts;
pub(super) mod sts;
pub(super) mod xml;

/// The first segment of the paths.
pub(super) const SCOPE: &str = "/s3";
