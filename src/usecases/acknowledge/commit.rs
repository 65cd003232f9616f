//! The transaction in which an upload becomes Uploaded.

use std::collections::HashMap;
use std::slice;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as Sql};
use diesel_async::AsyncConnection as _;
use uuid::Uuid;

use super::claims::Claimed;
use crate::domain::object::ProvenObject;
use crate::domain::proof::Level;
use crate::domain::status::Transition;
use crate::domain::upload::{Upload, Verification, Verifier};
use crate::store::Connection;
use crate::store::uploads::{self, Changes, Current, Proven};
use crate::usecases::broker::Broker;
use crate::usecases::error::{Result, for_all, is_of_one};
use crate::usecases::group::{Group, Grouped};

/// What came of a commit.
pub enum Committed {
    /// The row changed, the event is written.
    Done(Upload),
    /// Nothing changed: the row, here as it was seen, or its path moved since the object was
    /// looked at.
    Moved(Upload),
}

/// A proof that is written together with others.
pub struct Proof(Proven);

impl Grouped for Proof {
    type Answer = Result<Committed>;

    const NAME: &'static str = "acknowledge";

    fn group(broker: &Broker) -> &Group<Self> {
        &broker.proofs
    }

    async fn write(broker: &Broker, proofs: Vec<Self>) -> Vec<Result<Committed>> {
        let proofs: Vec<Proven> = proofs.into_iter().map(|proof| proof.0).collect();
        let mut connection = match broker.connection().await {
            Ok(connection) => connection,
            Err(error) => return for_all(error, proofs.len()),
        };
        match acknowledge(&mut connection, &proofs).await {
            Ok(done) => broker.tell(proofs, done),
            Err(cause) if is_of_one(&cause) => {
                let mut answers = Vec::with_capacity(proofs.len());
                for proof in proofs {
                    answers.push(broker.write_alone(&mut connection, proof).await);
                }
                answers
            }
            Err(cause) => for_all(cause.into(), proofs.len()),
        }
    }
}

async fn acknowledge(
    connection: &mut Connection,
    proofs: &[Proven],
) -> diesel::QueryResult<Vec<Upload>> {
    connection
        .transaction(async |connection| uploads::acknowledge(connection, proofs).await)
        .await
}

impl Broker {
    /// Marks `upload` Uploaded, if its path is still as `mark` says.
    pub(super) async fn commit(
        self: &Arc<Self>,
        upload: Upload,
        claimed: &Claimed,
        mark: Current,
        object: ProvenObject,
        level: Level,
        by: Verifier,
    ) -> Result<Committed> {
        let at = self.clock.now();
        self.together(Proof(Proven {
            upload,
            mark,
            name: claimed.name.clone(),
            comments: claimed.comments.clone(),
            metadata: claimed.metadata.clone(),
            declared: claimed.declared.clone(),
            object,
            verification: Verification { level, by, at },
        }))
        .await?
    }

    async fn write_alone(&self, connection: &mut Connection, proof: Proven) -> Result<Committed> {
        match acknowledge(connection, slice::from_ref(&proof)).await {
            Ok(done) => Ok(self.told(proof, done.into_iter().next())),
            // The second of two that were acknowledged at one path at once.
            Err(Sql::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
                Ok(Committed::Moved(proof.upload))
            }
            Err(cause) => Err(cause.into()),
        }
    }

    fn tell(&self, proofs: Vec<Proven>, done: Vec<Upload>) -> Vec<Result<Committed>> {
        let mut done: HashMap<Uuid, Upload> =
            done.into_iter().map(|upload| (upload.id, upload)).collect();
        (proofs.into_iter())
            .map(|proof| {
                let done = done.remove(&proof.upload.id);
                Ok(self.told(proof, done))
            })
            .collect()
    }

    fn told(&self, proof: Proven, done: Option<Upload>) -> Committed {
        let Some(done) = done else {
            return Committed::Moved(proof.upload);
        };
        self.outbox.notify_one();
        self.count(&done, Transition::Acknowledge);
        Committed::Done(done)
    }

    /// Takes one arrow in a transaction of its own; `None` where the row does not allow it, or the
    /// lease of `upload` was lost.
    pub(in crate::usecases) async fn take(
        &self,
        upload: &Upload,
        arrow: Transition,
        changes: Changes,
    ) -> Result<Option<Upload>> {
        let at = self.clock.now();
        let mut connection = self.connection().await?;
        let taken = connection
            .transaction(async |connection| {
                uploads::transition(connection, upload.id, upload.fence, arrow, at, changes).await
            })
            .await?;
        if let Some(upload) = &taken {
            self.count(upload, arrow);
        }
        Ok(taken)
    }

    pub(super) fn count(&self, upload: &Upload, arrow: Transition) {
        self.metrics.uploads.transition(arrow.to().as_str());
        if arrow == Transition::Acknowledge {
            let took = upload.updated_at - upload.created_at;
            self.metrics
                .uploads
                .uploaded_after(took.to_std().unwrap_or_default());
        }
    }
}
