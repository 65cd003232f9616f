//! What the client declared that the bytes hash to, held against what arrived.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::{S3Result, s3_error};

use super::checksum::{Algorithm, Checksum, Declared};

/// What the client said that the bytes will hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Promise {
    /// In a header, before the bytes.
    Header(Checksum),
    /// In a trailer, after the bytes.
    Trailer(Algorithm),
    /// Nothing: S3 then adds CRC64NVME of its own.
    Nothing,
}

impl Promise {
    /// # Errors
    /// More than one checksum, one that is not base64 of the right length, or an algorithm
    /// announced without a value.
    pub(super) fn of(declared: Declared<'_>, headers: &HeaderMap) -> S3Result<Self> {
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
                check_form(algorithm, &value)?;
                Ok(Self::Header(Checksum { algorithm, value }))
            }
            (None, _, Some(algorithm)) => Ok(Self::Trailer(algorithm)),
            (None, _, None) if headers.contains_key("x-amz-sdk-checksum-algorithm") => {
                Err(s3_error!(
                    InvalidRequest,
                    "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
                ))
            }
            (None, _, None) => Ok(Self::Nothing),
            _ => Err(s3_error!(
                InvalidRequest,
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
            )),
        }
    }

    /// Which algorithm the client chose, if it did: this one is computed while the bytes arrive.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Header(checksum) => Some(checksum.algorithm),
            Self::Trailer(algorithm) => Some(*algorithm),
            Self::Nothing => None,
        }
    }

    /// # Errors
    /// 400 `BadDigest` when the bytes are not what was promised.
    pub(super) fn check(&self, arrived: &Checksum, trailers: Option<&HeaderMap>) -> S3Result<()> {
        let promised = match self {
            Self::Nothing => return Ok(()),
            Self::Header(checksum) => Some(checksum.value.as_str()),
            Self::Trailer(algorithm) => {
                let value = trailers.and_then(|headers| headers.get(algorithm.header()));
                value.and_then(|value| value.to_str().ok())
            }
        };
        if promised == Some(arrived.value.as_str()) {
            return Ok(());
        }
        let name = arrived.algorithm.name();
        Err(s3_error!(
            BadDigest,
            "The {name} you specified did not match the calculated checksum."
        ))
    }
}

fn check_form(algorithm: Algorithm, value: &str) -> S3Result<()> {
    match STANDARD.decode(value) {
        Ok(bytes) if bytes.len() == algorithm.width() => Ok(()),
        _ => Err(s3_error!(
            InvalidRequest,
            "Value for {} header is invalid.",
            algorithm.header()
        )),
    }
}
