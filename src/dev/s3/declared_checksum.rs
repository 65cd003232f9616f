//! The checksum that the client declares, and its comparison with the received bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::{S3Result, s3_error};

use super::checksum::{Algorithm, Checksum, ChecksumFields};

/// How the client declares the checksum of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DeclaredChecksum {
    /// In a header, before the bytes.
    Header(Checksum),
    /// In a trailer, after the bytes.
    Trailer(Algorithm),
    /// Not at all: then S3 computes a CRC64NVME.
    None,
}

impl DeclaredChecksum {
    /// # Errors
    /// More than one checksum, a value that is not base64 of the right length, or an algorithm without a
    /// value.
    pub(super) fn of(declared: ChecksumFields<'_>, headers: &HeaderMap) -> S3Result<Self> {
        let mut found = declared
            .into_iter()
            .filter_map(|(algorithm, value)| Some((algorithm, value?.clone())));
        let trailer = headers
            .get("x-amz-trailer")
            .and_then(|name| name.to_str().ok());
        let trailer = trailer.and_then(|name| {
            Algorithm::ALL
                .into_iter()
                .find(|a| a.header().eq_ignore_ascii_case(name))
        });
        match (found.next(), found.next(), trailer) {
            (Some((algorithm, value)), None, None) => {
                check_encoding(algorithm, &value)?;
                Ok(Self::Header(Checksum { algorithm, value }))
            }
            (None, _, Some(algorithm)) => Ok(Self::Trailer(algorithm)),
            (None, _, None) if headers.contains_key("x-amz-sdk-checksum-algorithm") => {
                Err(s3_error!(
                    InvalidRequest,
                    "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
                ))
            }
            (None, _, None) => Ok(Self::None),
            _ => Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            )),
        }
    }

    /// Returns the algorithm that the client chose, if any. Its checksum is computed while the bytes are
    /// received.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Header(checksum) => Some(checksum.algorithm),
            Self::Trailer(algorithm) => Some(*algorithm),
            Self::None => None,
        }
    }

    /// # Errors
    /// 400 `BadDigest` if the checksum of the received bytes differs.
    pub(super) fn check(&self, received: &Checksum, trailers: Option<&HeaderMap>) -> S3Result<()> {
        let declared = match self {
            Self::None => return Ok(()),
            Self::Header(checksum) => Some(checksum.value.as_str()),
            Self::Trailer(algorithm) => {
                let value = trailers.and_then(|headers| headers.get(algorithm.header()));
                value.and_then(|value| value.to_str().ok())
            }
        };
        if declared == Some(received.value.as_str()) {
            return Ok(());
        }
        let name = received.algorithm.name();
        Err(s3_error!(
            BadDigest,
            "The {name} you specified did not match the calculated checksum."
        ))
    }
}

fn check_encoding(algorithm: Algorithm, value: &str) -> S3Result<()> {
    match STANDARD.decode(value) {
        Ok(bytes) if bytes.len() == algorithm.width() => Ok(()),
        _ => Err(s3_error!(
            InvalidRequest,
            "Value for {} header is invalid.",
            algorithm.header()
        )),
    }
}
