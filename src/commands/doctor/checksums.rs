//! `checksums`: does the store reject bytes with a wrong checksum, and does it return checksums?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum};
use sha2::{Digest as _, Sha256};

use super::verdict::Verdict;
use super::with_probe::put_rejected;
use crate::config::{StoreSwitches, Switch};
use crate::domain::abilities::{Ability, Support};
use crate::domain::checksum::Algorithm;
use crate::domain::object::same_etag;
use crate::objects::probe::{Probe, ProbeError};
use crate::objects::sign::{Checksum, PutObject};
use crate::objects::{Listing, StoreError};

pub(super) const BYTES: &str = "checked";

pub(super) async fn check_checksums(
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
        return Ok(wrong_bytes_accepted(switches.checksums, &unlike.summary()));
    }
    let like = probe.put(&declared(&right, &sum), BYTES, &[]).await?;
    if !like.is_success() {
        return Ok(put_rejected(&like));
    }
    if let Some(verdict) = etag_mismatch(probe, &right).await? {
        return Ok(verdict);
    }
    let fix = "nothing, if proofs of the level `size` are sufficient; else use a store that returns checksums";
    let returned = returned_checksum(probe, &right, Algorithm::Sha256).await?;
    if probe
        .store
        .abilities()
        .current()
        .support(Ability::HeadChecksums)
        == Support::No
    {
        return Ok(Verdict::warning(
            "a HEAD that requests checksums is rejected: proofs are at most of the level `size`",
            fix,
        ));
    }
    if switches.head_checksums == Switch::Off {
        return Ok(Verdict::warning(
            "BROKER_S3_HEAD_CHECKSUMS=off: no checksum is read, so proofs are at most of the level `size`",
            "set BROKER_S3_HEAD_CHECKSUMS=auto, unless the store rejects x-amz-checksum-mode",
        ));
    }
    if switches.checksums == Switch::Off {
        return Ok(Verdict::warning(
            "wrong bytes are rejected, but BROKER_S3_CHECKSUMS=off: proofs are at most of the level `size`",
            "set BROKER_S3_CHECKSUMS=auto",
        ));
    }
    if returned != Some(sum) {
        return Ok(Verdict::warning(
            "a wrong SHA-256 is rejected, but the right one is not returned: proofs are at most of the level `size`",
            fix,
        ));
    }
    let undeclared = PutObject::new(&plain, "text/plain", &id);
    let undeclared = probe.put(&undeclared, BYTES, &[]).await?;
    if !undeclared.is_success() {
        return Ok(put_rejected(&undeclared));
    }
    Ok(
        match returned_checksum(probe, &plain, Algorithm::Crc64nvme).await? {
            Some(value) if value == crc64nvme(BYTES) => Verdict::ok(
                "wrong bytes are rejected; CRC64NVME is returned if no checksum was declared",
            ),
            Some(value) => Verdict::failed(
                format!("the store returns {value} as CRC64NVME, which is wrong"),
                "use a store that computes CRC64NVME",
            ),
            None => Verdict::warning(
                "wrong bytes are rejected, but the store returns no checksum if none was declared",
                "declare a checksum with each upload, or use a store that computes CRC64NVME",
            ),
        },
    )
}

/// The verdict on a store that keeps bytes whose checksum differs from the one in the request.
fn wrong_bytes_accepted(switch: Switch, answer: &str) -> Verdict {
    let why = format!("the store accepts bytes that do not match the signed SHA-256 ({answer})");
    let fix = "use a store that verifies x-amz-checksum-sha256";
    match switch {
        Switch::On | Switch::Unquoted => Verdict::failed(
            format!(
                "{why}, although BROKER_S3_CHECKSUMS says that it rejects them: proofs may be wrong"
            ),
            format!("set BROKER_S3_CHECKSUMS=auto, or {fix}"),
        ),
        Switch::Auto | Switch::Off => Verdict::warning(
            format!("{why}: proofs are at most of the level `size`"),
            fix,
        ),
    }
}

/// The verdict on a store whose listing shows a different ETag than a HEAD, apart from the quotes;
/// `None` if they are equal.
async fn etag_mismatch(probe: &Probe<'_>, key: &str) -> Result<Option<Verdict>, ProbeError> {
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
            "an object is missing from the listing right after it was written",
            "use a store with read-after-write consistency of listings",
        )));
    };
    let same = same_etag(&listed.etag, &found.etag);
    Ok((!same).then(|| {
        Verdict::failed(
            format!(
                "a listing shows {} as the ETag of an object, but a HEAD shows {}: every dataset is reported as drifted",
                listed.etag, found.etag
            ),
            "use a store whose listing and HEAD return the same ETag",
        )
    }))
}

/// The full-object checksum that the store returns for this algorithm.
pub(super) async fn returned_checksum(
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
    fn checksums_equal_published_check_values() {
        assert_eq!(crc64nvme("123456789"), "rosUhgp5mIg=");
        assert_eq!(crc32("123456789"), "y/Q5Jg==");
    }
}
