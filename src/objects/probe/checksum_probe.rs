//! Tests whether a store checks checksums and returns them.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::try_join_all;

use super::ability_probe::{AbilityProbe, success_support, unless_inconclusive};
use super::error::ProbeError;
use super::outcome::Outcome;
use crate::domain::abilities::{Ability, Support};
use crate::domain::checksum::Algorithm;
use crate::objects::head::found;
use crate::objects::store::refuses_header;

impl AbilityProbe<'_> {
    /// Tests whether the store refuses bytes that do not match their checksum. A store that does
    /// not know an algorithm may accept them, but then it must not return the checksum.
    pub(super) async fn checksums(&self) -> Result<Support, ProbeError> {
        let each = Algorithm::ALL.map(|algorithm| Box::pin(self.checksum(algorithm)));
        let all = try_join_all(each).await?;
        Ok(if all.contains(&Support::No) {
            Support::No
        } else if all.contains(&Support::Unknown) {
            Support::Unknown
        } else {
            Support::Yes
        })
    }

    async fn checksum(&self, algorithm: Algorithm) -> Result<Support, ProbeError> {
        let name = algorithm.as_str();
        let key = self.artifacts.key(name);
        // No checksum of these bytes is all zeros.
        let wrong = STANDARD.encode(vec![0_u8; algorithm.length()]);
        let kept = (self.put(&key, |put| with_checksum(put, algorithm, &wrong))).await?;
        let kept = self.record(Ability::Checksums, &format!("a wrong {name}"), kept);
        if kept != Outcome::Done {
            return Ok(unless_inconclusive(&kept, Support::Yes));
        }
        // The store has accepted the bytes. If it returns the wrong checksum, it just echoes it.
        let head = self.store.send_head(&key, Some(ChecksumMode::Enabled));
        let returned = head.await.map(found).map(|found| found.checksums);
        let returned = returned.unwrap_or_default();
        let echoed =
            (returned.iter()).any(|sum| sum.algorithm() == algorithm && sum.value() == wrong);
        Ok(match echoed || algorithm == Algorithm::Sha256 {
            true => Support::No,
            false => Support::Yes,
        })
    }

    pub(super) async fn head_checksums(&self) -> Result<Support, ProbeError> {
        let ability = Ability::HeadChecksums;
        let key = self.artifacts.key("head");
        if self.write_plain(ability, &key).await?.is_none() {
            return Ok(Support::Unknown);
        }
        let with_checksums = (self.store.send_head(&key, Some(ChecksumMode::Enabled))).await;
        let with_checksums = self.record(ability, "with checksums", Outcome::of(&with_checksums));
        let (Outcome::Refused(answer) | Outcome::Fault(Some(answer))) = &with_checksums else {
            return Ok(success_support(&with_checksums));
        };
        if !refuses_header(Some(answer.status)) {
            return Ok(Support::Unknown);
        }
        let plain = Outcome::of(&self.store.send_head(&key, None).await);
        let plain = self.record(ability, "without", plain);
        Ok(match plain {
            Outcome::Done => Support::No,
            _ => Support::Unknown,
        })
    }
}

fn with_checksum(
    put: PutObjectFluentBuilder,
    algorithm: Algorithm,
    value: &str,
) -> PutObjectFluentBuilder {
    match algorithm {
        Algorithm::Sha256 => put.checksum_sha256(value),
        Algorithm::Sha1 => put.checksum_sha1(value),
        Algorithm::Crc32 => put.checksum_crc32(value),
        Algorithm::Crc32c => put.checksum_crc32_c(value),
        Algorithm::Crc64nvme => put.checksum_crc64_nvme(value),
    }
}
