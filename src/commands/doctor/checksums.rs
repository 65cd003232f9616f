//! `checksums`: are other bytes refused, and does the store tell what it has?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum};
use sha2::{Digest as _, Sha256};

use super::probing::not_written;
use super::verdict::Verdict;
use crate::domain::checksum::Algorithm;
use crate::objects::StoreError;
use crate::objects::probe::{Probe, ProbeError};
use crate::objects::sign::{Checksum, PutObject};

pub(super) const BYTES: &str = "checked";

pub(super) async fn examine(probe: &Probe<'_>) -> Result<Verdict, ProbeError> {
    let (plain, right, wrong) = (probe.key("plain"), probe.key("right"), probe.key("wrong"));
    let id = probe.id();
    let (sum, other) = (sha256(BYTES), sha256("other bytes"));
    let declared = |key, value| PutObject {
        checksum: Some(Checksum {
            header: Algorithm::Sha256.header(),
            value,
        }),
        ..PutObject::new(key, "text/plain", &id)
    };
    let unlike = probe.put(&declared(&wrong, &other), BYTES, &[]).await?;
    if unlike.is_success() || probe.store.head(&wrong).await?.is_some() {
        return Ok(Verdict::failed(
            format!(
                "bytes with another SHA-256 than the signed one are kept ({})",
                unlike.told()
            ),
            "use a store that verifies x-amz-checksum-sha256 before it keeps an object",
        ));
    }
    let like = probe.put(&declared(&right, &sum), BYTES, &[]).await?;
    if !like.is_success() {
        return Ok(not_written(&like));
    }
    let fix = "nothing, if `size` is proof enough; else use a store that returns checksums";
    if told(probe, &right, Algorithm::Sha256).await? != Some(sum) {
        return Ok(Verdict::warning(
            "a wrong SHA-256 is refused, but a right one is not told back: proofs are by size",
            fix,
        ));
    }
    let undeclared = PutObject::new(&plain, "text/plain", &id);
    let undeclared = probe.put(&undeclared, BYTES, &[]).await?;
    if !undeclared.is_success() {
        return Ok(not_written(&undeclared));
    }
    Ok(match told(probe, &plain, Algorithm::Crc64nvme).await? {
        Some(value) if value == crc64nvme(BYTES) => {
            Verdict::ok("wrong bytes are refused; CRC64NVME is told where nothing was declared")
        }
        Some(value) => Verdict::failed(
            format!("the store tells {value} as CRC64NVME, which is wrong"),
            "use a store that computes CRC64NVME",
        ),
        None => Verdict::warning(
            "wrong bytes are refused; but where nothing was declared the store tells no checksum",
            "declare a checksum with each upload, or use a store that computes CRC64NVME",
        ),
    })
}

/// The checksum of a whole object that the store tells.
pub(super) async fn told(
    probe: &Probe<'_>,
    key: &str,
    algorithm: Algorithm,
) -> Result<Option<String>, StoreError> {
    let found = probe.store.head(key).await?;
    let found = found.into_iter().flat_map(|found| found.checksums);
    let mut found = found.filter(|sum| sum.algorithm() == algorithm && !sum.is_composite());
    Ok(found.next().map(|sum| sum.value().to_owned()))
}

fn sha256(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

pub(super) fn crc64nvme(text: &str) -> String {
    STANDARD.encode(checksum(CrcAlgorithm::Crc64Nvme, text.as_bytes()).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the CRC catalogue.
    #[test]
    fn it_is_that_of_the_catalogue() {
        assert_eq!(crc64nvme("123456789"), "rosUhgp5mIg=");
    }
}
