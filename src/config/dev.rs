//! The embedded stack.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::parse::bind;
use super::reader::{Reader, Section};
use super::variables::{BROKER_DEV_DIR, BROKER_DEV_S3_BIND};

/// Settings of `upload-broker dev`. All have defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dev {
    /// Where its state is kept.
    pub dir: PathBuf,
    /// Where its S3 server listens.
    pub s3_bind: SocketAddr,
}

impl Section for Dev {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let dir = reader.value(&BROKER_DEV_DIR, |text| {
            text.parse().map_err(|never: Infallible| match never {})
        });
        let s3_bind = reader.value(&BROKER_DEV_S3_BIND, bind);
        Some(Self {
            dir: dir?,
            s3_bind: s3_bind?,
        })
    }
}
