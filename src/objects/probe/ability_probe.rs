//! A probe of the abilities of a store: it writes a dozen small objects with conditions that must
//! hold, with conditions that must fail, and with wrong checksums.
//!
//! It uses the SDK and the credentials of the broker. Pre-signed URLs are tested by
//! [`Probe`](super::Probe).

use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::artifacts::ProbeArtifacts;
use super::error::ProbeError;
use super::outcome::Outcome;
use crate::domain::abilities::{Abilities, Ability, Support};
use crate::objects::store::ObjectStore;

/// The content of the objects.
const BYTES: &[u8] = b"probe";

/// An ETag that no object has.
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

/// A probe of the abilities of the store of a bucket.
pub struct AbilityProbe<'a> {
    pub(super) store: &'a ObjectStore,
    pub(super) artifacts: &'a ProbeArtifacts,
    answers: Mutex<Vec<(Ability, String)>>,
}

/// The result of an [`AbilityProbe`].
#[derive(Clone, Debug)]
pub struct AbilityReport {
    /// The abilities that were found. Those that the answers of the store leave open are unknown.
    pub abilities: Abilities,
    answers: Vec<(Ability, String)>,
}

impl AbilityReport {
    /// Describes the answers of the store to the requests that tested `ability`: statuses and
    /// codes.
    pub fn answers(&self, ability: Ability) -> String {
        let answers = self.answers.iter().filter(|(tested, _)| *tested == ability);
        let answers: Vec<_> = answers.map(|(_, answer)| answer.as_str()).collect();
        answers.join(", ")
    }
}

impl<'a> AbilityProbe<'a> {
    /// Creates a probe of the bucket of `store`. Everything that it writes is recorded in
    /// `artifacts`, which the caller removes.
    pub fn new(store: &'a ObjectStore, artifacts: &'a ProbeArtifacts) -> Self {
        Self {
            store,
            artifacts,
            answers: Mutex::default(),
        }
    }

    /// Tests all abilities. An ability is unknown if an error or a missing right prevents its test.
    ///
    /// # Errors
    /// The probe was stopped.
    pub async fn run(self) -> Result<AbilityReport, ProbeError> {
        let (none_match, put_match, complete, delete, checksums, head) = tokio::try_join!(
            self.put_if_none_match(),
            self.put_if_match(),
            self.complete_if_none_match(),
            self.delete_if_match(),
            self.checksums(),
            self.head_checksums(),
        )?;
        let abilities = Abilities::default()
            .with(Ability::PutIfNoneMatch, none_match)
            .with(Ability::PutIfMatch, put_match)
            .with(Ability::CompleteIfNoneMatch, complete)
            .with(Ability::DeleteIfMatch, delete)
            .with(Ability::Checksums, checksums)
            .with(Ability::HeadChecksums, head);
        let answers = self.answers.into_inner();
        let answers = answers.unwrap_or_else(PoisonError::into_inner);
        Ok(AbilityReport { abilities, answers })
    }

    /// Records the outcome of a request for the report, and returns it.
    pub(super) fn record(&self, ability: Ability, what: &str, outcome: Outcome) -> Outcome {
        let answer = format!("{what}: {}", outcome.summary());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push((ability, answer));
        outcome
    }

    async fn put_if_none_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::PutIfNoneMatch;
        let key = self.artifacts.key("once");
        let once = || self.put(&key, |put| put.if_none_match("*"));
        let first = self.record(ability, "with no object at the key", once().await?);
        if first != Outcome::Done {
            return Ok(unless_inconclusive(&first, Support::No));
        }
        let second = self.record(ability, "with an object at the key", once().await?);
        Ok(condition_support(&second))
    }

    async fn put_if_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::PutIfMatch;
        let key = self.artifacts.key("version");
        let Some(etag) = self.write_plain(ability, &key).await? else {
            return Ok(Support::Unknown);
        };
        let matching = |etag: &str| {
            let etag = etag.to_owned();
            self.put(&key, |put| put.if_match(etag))
        };
        let wrong = self.record(ability, "a wrong ETag", matching(NO_ETAG).await?);
        if !wrong.is_condition_failed() {
            return Ok(condition_support(&wrong));
        }
        let right = self.record(ability, "the right ETag", matching(&etag).await?);
        if !right.is_condition_failed() {
            return Ok(success_support(&right));
        }
        let bare = matching(etag.trim_matches('"')).await?;
        let bare = self.record(ability, "the right ETag without quotes", bare);
        let other = matching(NO_ETAG.trim_matches('"')).await?;
        Ok(
            match (success_support(&bare), other.is_condition_failed()) {
                (Support::Yes, true) => Support::Unquoted,
                (Support::Unknown, _) => Support::Unknown,
                _ => Support::No,
            },
        )
    }

    async fn delete_if_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::DeleteIfMatch;
        let key = self.artifacts.key("removed");
        let Some(etag) = self.write_plain(ability, &key).await? else {
            return Ok(Support::Unknown);
        };
        let wrong = self.delete(&key, NO_ETAG).await;
        let wrong = self.record(ability, "a wrong ETag", wrong);
        if !wrong.is_condition_failed() {
            return Ok(condition_support(&wrong));
        }
        let right = self.record(ability, "the right ETag", self.delete(&key, &etag).await);
        Ok(success_support(&right))
    }

    /// Tests first with and then without an object at the key: a store that refuses both does not
    /// support the condition.
    async fn complete_if_none_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::CompleteIfNoneMatch;
        let (taken, free) = (self.artifacts.key("taken"), self.artifacts.key("free"));
        if self.write_plain(ability, &taken).await?.is_none() {
            return Ok(Support::Unknown);
        }
        let over = self.complete_one_part(&taken).await?;
        let over = self.record(ability, "with an object at the key", over);
        if !over.is_condition_failed() {
            return Ok(condition_support(&over));
        }
        let alone = self.complete_one_part(&free).await?;
        let alone = self.record(ability, "with no object at the key", alone);
        Ok(success_support(&alone))
    }

    /// Writes an object without a condition, and returns its ETag from a HEAD request; `None` if
    /// that fails.
    pub(super) async fn write_plain(
        &self,
        ability: Ability,
        key: &str,
    ) -> Result<Option<String>, ProbeError> {
        let put = self.put(key, |put| put).await?;
        if put != Outcome::Done {
            self.record(ability, "a plain PUT", put);
            return Ok(None);
        }
        let head = self.store.send_head(key, None).await;
        let etag = head.as_ref().ok().and_then(|found| found.e_tag.clone());
        if etag.is_none() {
            self.record(ability, "a plain HEAD", Outcome::of(&head));
        }
        Ok(etag)
    }

    pub(super) async fn put(
        &self,
        key: &str,
        with: impl FnOnce(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<Outcome, ProbeError> {
        self.artifacts.record_key(key)?;
        let put = (self.store.client.put_object())
            .bucket(self.store.bucket())
            .key(key)
            .body(ByteStream::from_static(BYTES));
        let put = with(put).send();
        Ok(Outcome::of(&self.store.timed("PutObject", put).await))
    }

    async fn delete(&self, key: &str, etag: &str) -> Outcome {
        let delete = (self.store.client.delete_object())
            .bucket(self.store.bucket())
            .key(key)
            .if_match(etag);
        let deleted = self.store.timed("DeleteObject", delete.send()).await;
        let version = (deleted.as_ref().ok()).and_then(|deleted| deleted.version_id());
        if let Some(version) = version {
            self.artifacts.record_delete_marker(key, version);
        }
        Outcome::of(&deleted)
    }

    /// Completes a multipart upload of one part, on the condition that there is no object at the
    /// key.
    async fn complete_one_part(&self, key: &str) -> Result<Outcome, ProbeError> {
        self.artifacts.record_multipart_start(key)?;
        let (client, bucket) = (&self.store.client, self.store.bucket());
        let create = client.create_multipart_upload().bucket(bucket).key(key);
        let created = (self.store.timed("CreateMultipartUpload", create.send())).await;
        let Some(id) = created
            .as_ref()
            .ok()
            .and_then(|created| created.upload_id())
        else {
            return Ok(Outcome::of(&created));
        };
        self.artifacts.record_multipart(key, id);
        let part = (client.upload_part().bucket(bucket).key(key))
            .upload_id(id)
            .part_number(1)
            .body(ByteStream::from_static(BYTES));
        let part = self.store.timed("UploadPart", part.send()).await;
        let Some(etag) = part.as_ref().ok().and_then(|part| part.e_tag()) else {
            return Ok(Outcome::of(&part));
        };
        let part = CompletedPart::builder().part_number(1).e_tag(etag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        let complete = (client.complete_multipart_upload().bucket(bucket).key(key))
            .upload_id(id)
            .multipart_upload(parts)
            .if_none_match("*");
        let complete = (self.store.timed("CompleteMultipartUpload", complete.send())).await;
        Ok(Outcome::of(&complete))
    }
}

/// What the outcome of a request says whose condition must fail.
fn condition_support(outcome: &Outcome) -> Support {
    match outcome.is_condition_failed() {
        true => Support::Yes,
        false => unless_inconclusive(outcome, Support::No),
    }
}

/// What the outcome of a request says that must succeed.
pub(super) fn success_support(outcome: &Outcome) -> Support {
    match outcome {
        Outcome::Done => Support::Yes,
        outcome => unless_inconclusive(outcome, Support::No),
    }
}

pub(super) fn unless_inconclusive(outcome: &Outcome, support: Support) -> Support {
    match outcome.is_inconclusive() {
        true => Support::Unknown,
        false => support,
    }
}
