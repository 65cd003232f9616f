//! Pre-signed URLs: the same bytes as aws-sdk-s3 makes, for a lifetime that is true.

mod endpoint;
mod equality;
mod lifetime;
mod parts;
mod scene;
mod strategies;
mod vector;
