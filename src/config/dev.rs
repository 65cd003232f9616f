//! The embedded stack of `dev`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::parse::socket_address;
use super::reader::{Reader, Section};
use super::variables::{BROKER_DEV_DIR, BROKER_DEV_S3_BIND};

/// The settings of `upload-broker dev`. All of them have defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dev {
    /// The folder of its state.
    pub dir: PathBuf,
    /// The address of its S3 server.
    pub s3_bind: SocketAddr,
}

impl Section for Dev {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let dir = reader.value(&BROKER_DEV_DIR, |text| {
            text.parse().map_err(|never: Infallible| match never {})
        });
        let s3_bind = reader.value(&BROKER_DEV_S3_BIND, socket_address);
        Some(Self {
            dir: dir?,
            s3_bind: s3_bind?,
        })
    }
}
