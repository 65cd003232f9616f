//! `checksums`: are other bytes refused, and does the store tell what it has?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum};
use sha2::{Digest as _, Sha256};

use super::probing::not_written;
use super::verdict::Verdict;
use crate::config::{StoreSwitches, Switch};
use crate::domain::abilities::{Ability, Support};
use crate::domain::checksum::Algorithm;
use crate::domain::object::same_etag;
use crate::objects::probe::{Probe, ProbeError};
use crate::objects::sign::{Checksum, PutObject};
use crate::objects::{Listing, StoreError};

pub(super) const BYTES: &str = "checked";

pub(super) async fn examine(
    switches: StoreSwitches,
    probe: &Probe<'_>,
) -> Result<Verdict, ProbeError> {
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
        return Ok(kept(switches.checksums, &unlike.summary()));
    }
    let like = probe.put(&declared(&right, &sum), BYTES, &[]).await?;
    if !like.is_success() {
        return Ok(not_written(&like));
    }
    if let Some(verdict) = other_etag(probe, &right).await? {
        return Ok(verdict);
    }
    let fix = "nothing, if `size` is proof enough; else use a store that returns checksums";
    let returned = told(probe, &right, Algorithm::Sha256).await?;
    if probe
        .store
        .abilities()
        .current()
        .support(Ability::HeadChecksums)
        == Support::No
    {
        return Ok(Verdict::warning(
            "a HEAD that asks for checksums is refused: proofs are no better than `size`",
            fix,
        ));
    }
    if switches.head_checksums == Switch::Off {
        return Ok(Verdict::warning(
            "BROKER_S3_HEAD_CHECKSUMS=off: no checksum is read, and proofs are no better than `size`",
            "set BROKER_S3_HEAD_CHECKSUMS=auto, unless the store refuses x-amz-checksum-mode",
        ));
    }
    if switches.checksums == Switch::Off {
        return Ok(Verdict::warning(
            "wrong bytes are refused, but BROKER_S3_CHECKSUMS=off: proofs are no better than `size`",
            "set BROKER_S3_CHECKSUMS=auto",
        ));
    }
    if returned != Some(sum) {
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

/// The verdict on a store that keeps bytes with another checksum than the one they came with.
fn kept(switch: Switch, answer: &str) -> Verdict {
    let why = format!("bytes with another SHA-256 than the signed one are kept ({answer})");
    let fix = "use a store that verifies x-amz-checksum-sha256 before it keeps an object";
    match switch {
        Switch::On | Switch::Unquoted => Verdict::failed(
            format!("{why}, and BROKER_S3_CHECKSUMS says that they are not: proofs are false"),
            format!("set BROKER_S3_CHECKSUMS=auto, or {fix}"),
        ),
        Switch::Auto | Switch::Off => {
            Verdict::warning(format!("{why}: proofs are no better than `size`"), fix)
        }
    }
}

/// The verdict on a store that shows an object's ETag otherwise in a listing than by HEAD; quotes
/// do not matter.
async fn other_etag(probe: &Probe<'_>, key: &str) -> Result<Option<Verdict>, ProbeError> {
    let listing = Listing {
        prefix: key,
        folders: false,
        limit: 1,
        token: None,
        after: None,
    };
    let listed = probe.store.list(listing).await?.objects.into_iter().next();
    let (Some(listed), Some(found)) = (listed, probe.store.head(key).await?) else {
        return Ok(Some(Verdict::failed(
            "an object that was just written is not listed",
            "use a store whose listing knows what was written (read-after-write consistency)",
        )));
    };
    let same = same_etag(&listed.etag, &found.etag);
    Ok((!same).then(|| {
        Verdict::failed(
            format!(
                "a listing shows {} as the ETag of an object, and HEAD {}: every dataset is reported as drifted",
                listed.etag, found.etag
            ),
            "use a store with one ETag for an object",
        )
    }))
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

pub(super) fn sha256(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text))
}

pub(super) fn crc32(text: &str) -> String {
    let sum = checksum(CrcAlgorithm::Crc32IsoHdlc, text.as_bytes());
    STANDARD.encode(u32::try_from(sum).unwrap_or_default().to_be_bytes())
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
        assert_eq!(crc32("123456789"), "y/Q5Jg==");
    }
}
