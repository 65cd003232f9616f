//! The transaction in which an upload becomes Uploaded.

use std::collections::{HashMap, HashSet};
use std::slice;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as Sql};
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use super::expected::ValidExpected;
use super::queue_jobs::queue_jobs;
use crate::domain::event::EventType;
use crate::domain::object::ProvenObject;
use crate::domain::proof::ProofLevel;
use crate::domain::status::Transition;
use crate::domain::upload::{Upload, Verification, Verifier};
use crate::store::Connection;
use crate::store::uploads::{self, Acknowledged, Changes, OnLocked, PathVersion, ProvenUpload};
use crate::telemetry::trace;
use crate::usecases::batching::{Batched, Batching};
use crate::usecases::context::Broker;
use crate::usecases::error::{Result, error_for_each, is_row_error};

/// The outcome of a commit.
pub(super) enum Committed {
    /// The row was changed, and the event was written.
    Done(Upload),
    /// Nothing was changed: the row, which is returned as it was last read, or its path changed
    /// since the object was read, or the object is being removed.
    Changed(Upload),
}

/// The outcome of one proof in a statement.
enum Outcome {
    /// As [`Committed::Done`].
    Done(Upload),
    /// As [`Committed::Changed`].
    Changed(Upload),
    /// Another transaction has locked its row, or the row that it supersedes.
    Locked(Box<ProvenUpload>),
}

/// A proof that is written in a batch.
struct Proof {
    proven: ProvenUpload,
    path: WritePath,
}

/// Which proofs share a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum WritePath {
    /// The proofs of all tenants, in a transaction that waits for no lock.
    Fast,
    /// Proofs of one tenant whose rows another transaction has locked. While the rows of one
    /// tenant are locked, the proofs of all other tenants go on.
    Slow(String),
}

impl Batched for Proof {
    type Key = WritePath;
    type Output = Result<Outcome>;

    fn key(&self) -> WritePath {
        self.path.clone()
    }

    fn batching(path: &WritePath) -> Batching {
        match path {
            WritePath::Fast => Batching::fast("acknowledge"),
            WritePath::Slow(_) => Batching::serial("acknowledge-locked"),
        }
    }

    async fn write(broker: &Broker, path: WritePath, proofs: Vec<Self>) -> Vec<Result<Outcome>> {
        let proofs: Vec<ProvenUpload> = proofs.into_iter().map(|proof| proof.proven).collect();
        let acquired = async {
            let permit = match &path {
                WritePath::Fast => None,
                WritePath::Slow(tenant) => Some(broker.connections.permit(tenant).await?),
            };
            Ok((permit, broker.connection().await?))
        };
        let locked = match path {
            WritePath::Fast => OnLocked::Skip,
            WritePath::Slow(_) => OnLocked::Wait,
        };
        match acquired.await {
            Ok((_permit, mut connection)) => write(broker, &mut connection, proofs, locked).await,
            Err(error) => error_for_each(error, proofs.len()),
        }
    }
}

/// Writes proofs in one transaction. If the table refuses one of them, the others are written
/// without it.
async fn write(
    broker: &Broker,
    connection: &mut Connection,
    proofs: Vec<ProvenUpload>,
    locked: OnLocked,
) -> Vec<Result<Outcome>> {
    match acknowledge(broker, connection, &proofs, locked).await {
        Ok(acknowledged) => broker.outcomes_of(proofs, acknowledged),
        Err(cause) if is_row_error(&cause) => {
            let mut answers = Vec::with_capacity(proofs.len());
            for proof in proofs {
                answers.push(broker.write_alone(connection, proof, locked).await);
            }
            answers
        }
        Err(cause) => error_for_each(cause.into(), proofs.len()),
    }
}

async fn acknowledge(
    broker: &Broker,
    connection: &mut Connection,
    proofs: &[ProvenUpload],
    locked: OnLocked,
) -> diesel::QueryResult<Acknowledged> {
    let notified = &broker.rules.notified;
    let (acknowledged, has_jobs) = connection
        .transaction(async |connection| {
            let acknowledged = uploads::acknowledge(connection, proofs, locked, notified).await?;
            let has_jobs = queue_jobs(broker, connection, &acknowledged.done).await?;
            Ok::<_, Sql>((acknowledged, has_jobs))
        })
        .await?;
    if has_jobs {
        broker.jobs_queued.notify_waiters();
    }
    Ok(acknowledged)
}

/// The written and the locked uploads, by their ids.
struct Written {
    done: HashMap<Uuid, Upload>,
    locked: HashSet<Uuid>,
}

impl From<Acknowledged> for Written {
    fn from(acknowledged: Acknowledged) -> Self {
        let done = acknowledged.done.into_iter();
        Self {
            done: done.map(|upload| (upload.id, upload)).collect(),
            locked: acknowledged.locked,
        }
    }
}

impl Broker {
    /// Marks `upload` Uploaded, if its path is still as `version` says.
    pub(super) async fn commit(
        self: &Arc<Self>,
        upload: Upload,
        valid: &ValidExpected,
        version: PathVersion,
        object: ProvenObject,
        level: ProofLevel,
        by: Verifier,
    ) -> Result<Committed> {
        let at = self.clock.now();
        let proven = ProvenUpload {
            upload,
            version,
            name: valid.name.clone(),
            comments: valid.comments.clone(),
            metadata: valid.metadata.clone(),
            declared: valid.declared.clone(),
            object,
            verification: Verification { level, by, at },
            traceparent: trace::traceparent(),
        };
        let path = WritePath::Fast;
        let outcome = match self.write_batched(Proof { proven, path }).await?? {
            Outcome::Locked(proven) => {
                let path = WritePath::Slow(proven.upload.tenant.clone());
                let proven = *proven;
                self.write_batched(Proof { proven, path }).await??
            }
            outcome => outcome,
        };
        Ok(match outcome {
            Outcome::Done(upload) => Committed::Done(upload),
            Outcome::Changed(upload) => Committed::Changed(upload),
            Outcome::Locked(proven) => Committed::Changed(proven.upload),
        })
    }

    async fn write_alone(
        &self,
        connection: &mut Connection,
        proof: ProvenUpload,
        locked: OnLocked,
    ) -> Result<Outcome> {
        match acknowledge(self, connection, slice::from_ref(&proof), locked).await {
            Ok(acknowledged) => Ok(self.outcome_of(proof, &mut acknowledged.into())),
            // This is the second of two concurrent acknowledges at one path.
            Err(Sql::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
                Ok(Outcome::Changed(proof.upload))
            }
            Err(cause) => Err(cause.into()),
        }
    }

    fn outcomes_of(
        &self,
        proofs: Vec<ProvenUpload>,
        acknowledged: Acknowledged,
    ) -> Vec<Result<Outcome>> {
        let mut written = Written::from(acknowledged);
        (proofs.into_iter())
            .map(|proof| Ok(self.outcome_of(proof, &mut written)))
            .collect()
    }

    /// Returns the outcome of one proof of a batch.
    fn outcome_of(&self, proof: ProvenUpload, written: &mut Written) -> Outcome {
        let id = proof.upload.id;
        match written.done.remove(&id) {
            None if written.locked.contains(&id) => Outcome::Locked(Box::new(proof)),
            done => self.report_commit(proof, done),
        }
    }

    fn report_commit(&self, proof: ProvenUpload, done: Option<Upload>) -> Outcome {
        let Some(done) = done else {
            return Outcome::Changed(proof.upload);
        };
        self.outbox.notify_one();
        self.count(&done, Transition::Acknowledge);
        Outcome::Done(done)
    }

    /// Changes the status in its own transaction. Returns `None` if the row does not permit the
    /// transition, or if the lease of `upload` was lost.
    pub(in crate::usecases) async fn change_status(
        &self,
        upload: &Upload,
        transition: Transition,
        changes: Changes,
    ) -> Result<Option<Upload>> {
        let (at, notified) = (self.clock.now(), &self.rules.notified);
        let mut connection = self.connection().await?;
        let changed = connection
            .transaction(async |connection| {
                uploads::transition(
                    connection,
                    upload.id,
                    upload.lease_token,
                    transition,
                    at,
                    changes,
                    notified,
                )
                .await
            })
            .await?;
        if let Some(upload) = &changed {
            self.wake_relay(EventType::of(transition));
            self.count(upload, transition);
        }
        Ok(changed)
    }

    /// Wakes the relay, if it publishes events of this type, and the live streams in any case. The
    /// event is committed.
    pub(in crate::usecases) fn wake_relay(&self, kind: EventType) {
        if self.rules.notified.contains(kind) {
            self.outbox.notify_one();
        } else {
            self.outbox.feed.notify_one();
        }
    }

    pub(super) fn count(&self, upload: &Upload, transition: Transition) {
        self.metrics.uploads.transition(transition.to().as_str());
        if transition == Transition::Acknowledge {
            let took = upload.updated_at - upload.created_at;
            self.metrics
                .uploads
                .uploaded_after(took.to_std().unwrap_or_default());
        }
    }
}
