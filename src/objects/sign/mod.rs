//! AWS Signature Version 4 for pre-signed URLs.
