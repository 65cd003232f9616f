//! The embedded services of `upload-broker dev`: Postgres, an S3 server and an SNS endpoint.

pub mod child;
pub mod folder;
pub mod postgres;
pub mod s3;
pub mod sns;
