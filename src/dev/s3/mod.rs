//! An S3 server in this process: s3s speaks the protocol, the storage half is ours.
