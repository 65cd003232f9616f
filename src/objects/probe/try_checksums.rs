//! Trying out whether a store checks checksums, and returns them.

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::try_join_all;

use super::ProbeError;
use super::outcome::Outcome;
use super::try_out::{AbilityProbe, done, unless_mute};
use crate::domain::abilities::{Ability, Support};
use crate::domain::checksum::Algorithm;
use crate::objects::head::found;
use crate::objects::store::refuses_header;

impl AbilityProbe<'_> {
    /// Whether bytes are kept that do not have the checksum they came with. A store that does not
    /// know an algorithm at all may keep them, but then it does not return the checksum either.
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
        let key = self.traces.key(name);
        // No checksum of these bytes is all zeros.
        let wrong = STANDARD.encode(vec![0_u8; algorithm.length()]);
        let kept = (self.put(&key, |put| with_checksum(put, algorithm, &wrong))).await?;
        let kept = self.record(Ability::Checksums, &format!("a wrong {name}"), kept);
        if kept != Outcome::Done {
            return Ok(unless_mute(&kept, Support::Yes));
        }
        // One that says so only later, or not at all: what counts is what it returns.
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
        let key = self.traces.key("head");
        if self.written(ability, &key).await?.is_none() {
            return Ok(Support::Unknown);
        }
        let asked = (self.store.send_head(&key, Some(ChecksumMode::Enabled))).await;
        let asked = self.record(ability, "with checksums", Outcome::of(&asked));
        let (Outcome::Refused(answer) | Outcome::Fault(Some(answer))) = &asked else {
            return Ok(done(&asked));
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
