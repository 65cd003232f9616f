//! The transition to Uploaded, for many uploads in one statement.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::helper_types::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Int8, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::lock::{OnLocked, lock};
use super::path_version::{self, Candidate, PathVersion, TenantPath};
use super::row::Row;
use super::transition::{Changes, change_status};
use super::unproven;
use crate::domain::event::EventType;
use crate::domain::notified_types::NotifiedTypes;
use crate::domain::object::ProvenObject;
use crate::domain::proof::Declared;
use crate::domain::status::Transition;
use crate::domain::upload::{Upload, Verification};
use crate::store::columns::{bind_arrays, each, json, try_each};
use crate::store::{Connection, Result, events};

/// An upload whose object was checked and is as declared.
pub struct ProvenUpload {
    /// The row, as it was read before the check.
    pub upload: Upload,
    /// The version of its path before the object was checked.
    pub version: PathVersion,
    /// The new name, if it changes.
    pub name: Option<String>,
    /// The new comments, if they change.
    pub comments: Option<String>,
    /// The new metadata, which replaces the old, if it changes.
    pub metadata: Option<BTreeMap<String, String>>,
    /// What was declared at create and with the acknowledge.
    pub declared: Declared,
    /// The proven object.
    pub object: ProvenObject,
    /// How and when it was proven.
    pub verification: Verification,
    /// The trace context of the request that caused this.
    pub traceparent: Option<String>,
}

/// The outcome of acknowledging many uploads.
#[derive(Debug, Default)]
pub struct Acknowledged {
    /// The uploads that are Uploaded now.
    pub done: Vec<Upload>,
    /// The uploads that were skipped because another transaction holds a lock ([`OnLocked::Skip`]).
    pub locked: HashSet<Uuid>,
}

/// Marks uploads as Uploaded, with their proofs and events. Supersedes the current uploads of their
/// paths, and stops counting wrong objects at these paths.
///
/// An upload is left out if:
/// - its row does not allow the transition any more, or no longer has the lease of the upload;
/// - the version of its path has changed, because its proof may be of bytes that were replaced
///   meanwhile;
/// - its object is being removed;
/// - another of the uploads has the same path.
///
/// `locked` says what to do if its row, or the row that it supersedes, is locked. Events are
/// published if their types are among `notified`.
///
/// Call it inside a transaction. If another upload becomes the current one of a path at the same
/// time, this fails because of the constraint that a path has only one current upload.
///
/// A removal is registered and committed before it waits for the locks of these rows
/// ([`find_relying_on_object`](super::find_relying_on_object)), and it is checked here under these
/// locks: so at least one of the two sees the other.
pub async fn acknowledge(
    connection: &mut Connection,
    proven: &[ProvenUpload],
    locked: OnLocked,
    notified: &NotifiedTypes,
) -> Result<Acknowledged> {
    let transition = Transition::Acknowledge;
    let superseded = proven.iter().filter_map(|proven| proven.version.upload());
    let rows: Vec<Uuid> = (proven.iter().map(|proven| proven.upload.id))
        .chain(superseded)
        .collect();
    let locked_rows = lock(connection, &rows, locked).await?;
    let is_locked = |proven: &&ProvenUpload| {
        let superseded = proven.version.upload();
        locked_rows.contains(&proven.upload.id)
            && superseded.is_none_or(|id| locked_rows.contains(&id))
    };
    let (free, skipped): (Vec<&ProvenUpload>, Vec<&ProvenUpload>) =
        proven.iter().partition(is_locked);
    let skipped = match locked {
        OnLocked::Skip => each(&skipped, |proven| proven.upload.id),
        // All locks were waited for, so a row that is not locked no longer exists.
        OnLocked::Wait => Vec::new(),
    };
    let mut acknowledged = Acknowledged {
        done: Vec::new(),
        locked: skipped.into_iter().collect(),
    };
    let candidates = each(&free, |proven| Candidate {
        upload: &proven.upload,
        etag: &proven.object.etag,
        at: proven.verification.at,
    });
    let states = path_version::read_locked(connection, &candidates, transition.from()).await?;
    let is_unchanged = |proven: &ProvenUpload| {
        let state = states.get(&proven.upload.id);
        state.is_some_and(|state| state.version == proven.version && !state.is_being_removed)
    };
    let mut paths = HashSet::new();
    let fit: Vec<&ProvenUpload> = (free.into_iter())
        .filter(|proven| is_unchanged(proven))
        .filter(|proven| paths.insert(TenantPath::from(&proven.upload)))
        .collect();
    if fit.is_empty() {
        return Ok(acknowledged);
    }
    supersede(connection, &fit, notified).await?;
    let rows: Vec<Row> = Update::new(&fit)?.load(connection).await?;
    let rows = rows.into_iter().map(Row::into_upload);
    acknowledged.done = rows.collect::<Result<_>>()?;
    let replaced: Vec<TenantPath<'_>> = (acknowledged.done.iter())
        .filter(|upload| {
            let state = states.get(&upload.id);
            state.is_some_and(|state| state.has_wrong_objects)
        })
        .map(TenantPath::from)
        .collect();
    if !replaced.is_empty() {
        unproven::clear_replaced(connection, &replaced).await?;
    }
    let kind = EventType::of(transition);
    let causes: HashMap<Uuid, &str> = (proven.iter())
        .filter_map(|proven| Some((proven.upload.id, proven.traceparent.as_deref()?)))
        .collect();
    let cause = |upload: &Upload| causes.get(&upload.id).copied();
    events::append_caused_by(connection, kind, &acknowledged.done, notified, cause).await?;
    Ok(acknowledged)
}

/// Supersedes the uploads that the path versions name as current. The caller holds their locks, and
/// has checked the versions under these locks.
async fn supersede(
    connection: &mut Connection,
    proven: &[&ProvenUpload],
    notified: &NotifiedTypes,
) -> Result<()> {
    let current: Vec<Uuid> = proven
        .iter()
        .filter_map(|proven| proven.version.upload())
        .collect();
    let last = proven.iter().map(|proven| proven.verification.at).max();
    if let Some(at) = last.filter(|_| !current.is_empty()) {
        let (transition, changes) = (Transition::Supersede, Changes::default());
        let superseded = change_status(connection, &current, None, transition, at, changes).await?;
        let causes: HashMap<Uuid, &str> = (proven.iter())
            .filter_map(|proven| Some((proven.version.upload()?, proven.traceparent.as_deref()?)))
            .collect();
        let cause = |upload: &Upload| causes.get(&upload.id).copied();
        let kind = EventType::of(transition);
        events::append_caused_by(connection, kind, &superseded, notified, cause).await?;
    }
    Ok(())
}

/// The changes, column by column.
struct Update<'a> {
    from: Vec<&'static str>,
    ids: Vec<Uuid>,
    names: Vec<Option<&'a str>>,
    comments: Vec<Option<&'a str>>,
    metadata: Vec<Option<String>>,
    sizes: Vec<Option<i64>>,
    checksum_algorithms: Vec<Option<&'static str>>,
    checksum_values: Vec<Option<&'a str>>,
    object_sizes: Vec<i64>,
    etags: Vec<&'a str>,
    version_ids: Vec<Option<&'a str>>,
    content_types: Vec<Option<&'a str>>,
    object_checksum_algorithms: Vec<Option<&'static str>>,
    object_checksum_values: Vec<Option<&'a str>>,
    last_modified: Vec<DateTime<Utc>>,
    levels: Vec<&'static str>,
    verifiers: Vec<&'static str>,
    at: Vec<DateTime<Utc>>,
    returning: AsSelect<Row, Pg>,
}

impl<'a> Update<'a> {
    fn new(proven: &[&'a ProvenUpload]) -> Result<Self> {
        let declared = |proven: &&'a ProvenUpload| proven.declared.checksum.as_ref();
        let found = |proven: &&'a ProvenUpload| proven.object.checksum.as_ref();
        let from = Transition::Acknowledge.from();
        Ok(Self {
            from: each(from, |status| status.as_str()),
            ids: each(proven, |proven| proven.upload.id),
            names: each(proven, |proven| proven.name.as_deref()),
            comments: each(proven, |proven| proven.comments.as_deref()),
            metadata: try_each(proven, |proven| {
                proven.metadata.as_ref().map(json).transpose()
            })?,
            sizes: try_each(proven, |proven| {
                proven.declared.size.map(i64::try_from).transpose()
            })?,
            checksum_algorithms: each(proven, |proven| {
                Some(declared(proven)?.algorithm().as_str())
            }),
            checksum_values: each(proven, |proven| Some(declared(proven)?.value())),
            object_sizes: try_each(proven, |proven| i64::try_from(proven.object.size))?,
            etags: each(proven, |proven| &*proven.object.etag),
            version_ids: each(proven, |proven| proven.object.version_id.as_deref()),
            content_types: each(proven, |proven| proven.object.content_type.as_deref()),
            object_checksum_algorithms: each(proven, |proven| {
                Some(found(proven)?.algorithm().as_str())
            }),
            object_checksum_values: each(proven, |proven| Some(found(proven)?.value())),
            last_modified: each(proven, |proven| proven.object.last_modified),
            levels: each(proven, |proven| proven.verification.level.as_str()),
            verifiers: each(proven, |proven| proven.verification.by.as_str()),
            at: each(proven, |proven| proven.verification.at),
            returning: Row::as_select(),
        })
    }
}

impl QueryFragment<Pg> for Update<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        // Errors of earlier checks are cleared.
        out.push_sql(
            "UPDATE uploads SET status = 'Uploaded', sequence = uploads.sequence + 1, \
             name = COALESCE(new.name, uploads.name), \
             comments = COALESCE(new.comments, uploads.comments), \
             metadata = COALESCE(new.metadata::jsonb, uploads.metadata), \
             size = COALESCE(new.size, uploads.size), \
             checksum_algorithm = COALESCE(new.checksum_algorithm, uploads.checksum_algorithm), \
             checksum_value = COALESCE(new.checksum_value, uploads.checksum_value), \
             error_code = NULL, error_detail = NULL, unproven_size = NULL, \
             object_size = new.object_size, \
             object_etag = new.etag, object_version_id = new.version_id, \
             object_content_type = new.content_type, \
             object_checksum_algorithm = new.object_checksum_algorithm, \
             object_checksum_value = new.object_checksum_value, \
             object_last_modified = new.last_modified, verification_level = new.level, \
             verified_by = new.verifier, verified_at = new.at, uploaded_at = new.at, \
             updated_at = new.at, janitor_due_at = NULL, janitor_attempts = 0, \
             holder = NULL, leased_until = NULL, held_for = NULL FROM unnest(",
        );
        bind_arrays!(
            out,
            SqlUuid: &self.ids,
            Nullable<Text>: &self.names,
            Nullable<Text>: &self.comments,
            Nullable<Text>: &self.metadata,
            Nullable<Int8>: &self.sizes,
            Nullable<Text>: &self.checksum_algorithms,
            Nullable<Text>: &self.checksum_values,
            Int8: &self.object_sizes,
            Text: &self.etags,
            Nullable<Text>: &self.version_ids,
            Nullable<Text>: &self.content_types,
            Nullable<Text>: &self.object_checksum_algorithms,
            Nullable<Text>: &self.object_checksum_values,
            Timestamptz: &self.last_modified,
            Text: &self.levels,
            Text: &self.verifiers,
            Timestamptz: &self.at,
        );
        out.push_sql(
            ") AS new (id, name, comments, metadata, size, checksum_algorithm, checksum_value, \
             object_size, etag, version_id, content_type, object_checksum_algorithm, \
             object_checksum_value, last_modified, level, verifier, at) \
             WHERE uploads.id = new.id AND uploads.status = ANY(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.from)?;
        out.push_sql(") RETURNING ");
        self.returning.walk_ast(out.reborrow())
    }
}

impl QueryId for Update<'_> {
    type QueryId = Update<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Update<'_> {
    type SqlType = SqlTypeOf<AsSelect<Row, Pg>>;
}
