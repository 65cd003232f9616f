//! Pre-signed URLs: they equal those of aws-sdk-s3 byte for byte, and live as long as they say.

mod endpoint;
mod equality;
mod forms;
mod lifetime;
mod parts;
mod scene;
mod strategies;
mod vector;
