//! Limits of pre-signed URLs.

/// The longest lifetime of a pre-signed URL, in seconds: one week ("Download and upload objects with
/// presigned URLs", S3 user guide).
pub const MAX_EXPIRES_IN: u32 = 604_800;
