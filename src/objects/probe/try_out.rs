//! Trying out what a store does of what S3 does: a dozen objects of a few bytes are written with
//! conditions that must hold and conditions that must not, and with checksums that are wrong.
//!
//! It speaks to the store as the broker does, with its key; URLs are the other probe's affair.

use std::sync::{Mutex, PoisonError};

use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use super::outcome::Outcome;
use super::{ProbeArtifacts, ProbeError};
use crate::domain::abilities::{Abilities, Ability, Support};
use crate::objects::ObjectStore;

const BYTES: &[u8] = b"tried";

/// An ETag that no object has.
const NO_ETAG: &str = "\"00000000000000000000000000000000\"";

/// A try-out of a bucket's store.
pub struct AbilityProbe<'a> {
    pub(super) store: &'a ObjectStore,
    pub(super) traces: &'a ProbeArtifacts,
    answers: Mutex<Vec<(Ability, String)>>,
}

/// What a try-out came to.
#[derive(Clone, Debug)]
pub struct AbilityReport {
    /// What was found out; unknown is what the store's answers leave open.
    pub abilities: Abilities,
    answers: Vec<(Ability, String)>,
}

impl AbilityReport {
    /// What the store answered where `ability` was tried, for people: statuses and codes.
    pub fn answers(&self, ability: Ability) -> String {
        let of_it = self.answers.iter().filter(|(tried, _)| *tried == ability);
        let words: Vec<_> = of_it.map(|(_, words)| words.as_str()).collect();
        words.join(", ")
    }
}

impl<'a> AbilityProbe<'a> {
    /// Of the bucket of `store`. Whatever it writes stands in `traces`, which the caller erases.
    pub fn new(store: &'a ObjectStore, traces: &'a ProbeArtifacts) -> Self {
        Self {
            store,
            traces,
            answers: Mutex::default(),
        }
    }

    /// Tries everything. What a fault or a missing right leaves open is unknown.
    ///
    /// # Errors
    /// It was stopped.
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

    /// Records an outcome for the report, and returns it.
    pub(super) fn record(&self, ability: Ability, what: &str, outcome: Outcome) -> Outcome {
        let words = format!("{what}: {}", outcome.summary());
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.push((ability, words));
        outcome
    }

    async fn put_if_none_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::PutIfNoneMatch;
        let key = self.traces.key("once");
        let once = || self.put(&key, |put| put.if_none_match("*"));
        let first = self.record(ability, "where nothing stands", once().await?);
        if first != Outcome::Done {
            return Ok(unless_mute(&first, Support::No));
        }
        let second = self.record(ability, "where an object stands", once().await?);
        Ok(held(&second))
    }

    async fn put_if_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::PutIfMatch;
        let key = self.traces.key("version");
        let Some(etag) = self.written(ability, &key).await? else {
            return Ok(Support::Unknown);
        };
        let matching = |etag: &str| {
            let etag = etag.to_owned();
            self.put(&key, |put| put.if_match(etag))
        };
        let wrong = self.record(ability, "another version's ETag", matching(NO_ETAG).await?);
        if !wrong.is_held() {
            return Ok(held(&wrong));
        }
        let right = self.record(ability, "the right ETag", matching(&etag).await?);
        if !right.is_held() {
            return Ok(done(&right));
        }
        let bare = matching(etag.trim_matches('"')).await?;
        let bare = self.record(ability, "the right ETag without quotes", bare);
        let other = matching(NO_ETAG.trim_matches('"')).await?;
        Ok(match (done(&bare), other.is_held()) {
            (Support::Yes, true) => Support::Unquoted,
            (Support::Unknown, _) => Support::Unknown,
            _ => Support::No,
        })
    }

    async fn delete_if_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::DeleteIfMatch;
        let key = self.traces.key("removed");
        let Some(etag) = self.written(ability, &key).await? else {
            return Ok(Support::Unknown);
        };
        let wrong = self.delete(&key, NO_ETAG).await;
        let wrong = self.record(ability, "another version's ETag", wrong);
        if !wrong.is_held() {
            return Ok(held(&wrong));
        }
        let right = self.record(ability, "the right ETag", self.delete(&key, &etag).await);
        Ok(done(&right))
    }

    /// First where something stands, then where nothing does: a store that refuses both has no such
    /// condition.
    async fn complete_if_none_match(&self) -> Result<Support, ProbeError> {
        let ability = Ability::CompleteIfNoneMatch;
        let (taken, free) = (self.traces.key("taken"), self.traces.key("free"));
        if self.written(ability, &taken).await?.is_none() {
            return Ok(Support::Unknown);
        }
        let over = self.join(&taken).await?;
        let over = self.record(ability, "where an object stands", over);
        if !over.is_held() {
            return Ok(held(&over));
        }
        let alone = self.join(&free).await?;
        let alone = self.record(ability, "where nothing stands", alone);
        Ok(done(&alone))
    }

    /// Writes an object without any condition; its ETag, as a HEAD has it.
    pub(super) async fn written(
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
        self.traces.write(key)?;
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
            self.traces.hid(key, version);
        }
        Outcome::of(&deleted)
    }

    /// Puts one part together, where nothing may stand.
    async fn join(&self, key: &str) -> Result<Outcome, ProbeError> {
        self.traces.begin(key)?;
        let (client, bucket) = (&self.store.client, self.store.bucket());
        let begin = client.create_multipart_upload().bucket(bucket).key(key);
        let begun = (self.store.timed("CreateMultipartUpload", begin.send())).await;
        let Some(id) = begun.as_ref().ok().and_then(|begun| begun.upload_id()) else {
            return Ok(Outcome::of(&begun));
        };
        self.traces.began(key, id);
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

/// Of a call whose condition does not hold.
fn held(outcome: &Outcome) -> Support {
    match outcome.is_held() {
        true => Support::Yes,
        false => unless_mute(outcome, Support::No),
    }
}

/// Of a call that must go through.
pub(super) fn done(outcome: &Outcome) -> Support {
    match outcome {
        Outcome::Done => Support::Yes,
        outcome => unless_mute(outcome, Support::No),
    }
}

pub(super) fn unless_mute(outcome: &Outcome, support: Support) -> Support {
    match outcome.is_mute() {
        true => Support::Unknown,
        false => support,
    }
}
