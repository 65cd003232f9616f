//! Compares the snapshot with the records of the clients. Each violation is described by a line, followed by
//! everything that is known about the upload.

use std::collections::BTreeMap;

use super::snapshot::{Event, Object, Row, Snapshot};
use super::transitions::{NOTES, TRANSITIONS};
use crate::support::fleet::Fleet;
use crate::support::load::ClientRecord;

/// Returns all violations.
pub fn all(snapshot: &Snapshot, records: &[ClientRecord], fleet: &Fleet) -> Vec<String> {
    let by_name = records
        .iter()
        .map(|record| (record.name.as_str(), record))
        .collect();
    let mut check = Check {
        snapshot,
        by_name,
        violations: Vec::new(),
    };
    for (id, row) in &snapshot.uploads {
        check.history(id, row);
        check.object(id, row);
    }
    for (key, object) in &snapshot.objects {
        check.owner(key, object);
    }
    check.deliveries();
    for record in records {
        check.record(record);
    }
    let mut violations = check.violations;
    for (number, replica) in fleet.replicas.iter().enumerate() {
        let log = replica.log();
        for line in log.lines().filter(|line| line.contains("panicked")) {
            violations.push(format!("replica {number}: {line}"));
        }
    }
    violations
}

struct Check<'a> {
    snapshot: &'a Snapshot,
    by_name: BTreeMap<&'a str, &'a ClientRecord>,
    violations: Vec<String>,
}

impl Check<'_> {
    fn report(&mut self, id: &str, what: &str) {
        let row = self.snapshot.uploads.get(id);
        let record = row.and_then(|row| self.by_name.get(row.name.as_str()));
        let events = self.events(id);
        let object = row.and_then(|row| self.snapshot.objects.get(&row.key));
        self.violations.push(format!(
            "{what}: upload {id}\n  row     {row:?}\n  events  {events:?}\n  object  {object:?}\n  record   {record:#?}"
        ));
    }

    fn events(&self, id: &str) -> &[Event] {
        self.snapshot.events.get(id).map_or(&[], Vec::as_slice)
    }

    /// Checks that the events lead from Pending to the status of the row, by valid transitions without a gap.
    fn history(&mut self, id: &str, row: &Row) {
        let events = self.events(id).to_vec();
        let mut status = "Pending";
        for (index, event) in events.iter().enumerate() {
            let arrow =
                (TRANSITIONS.iter()).find(|(from, kind, _)| *from == status && *kind == event.kind);
            let is_note = NOTES.contains(&event.kind.as_str());
            match arrow {
                Some((_, _, to)) if *to == event.status => status = to,
                None if is_note && event.status == status => {}
                _ => return self.report(id, &format!("no such transition from {status}")),
            }
            if usize::try_from(event.sequence) != Ok(index + 1) {
                return self.report(id, "a gap in the sequence");
            }
        }
        if status != row.status || usize::try_from(row.sequence) != Ok(events.len()) {
            self.report(id, "the history does not lead to the status of the row");
        }
        if ["Pending", "Deleting"].contains(&row.status.as_str()) {
            self.report(id, "unfinished");
        }
        let proofs = events
            .iter()
            .filter(|event| event.kind == "dataset.uploaded");
        if proofs.count() != usize::from(row.etag.is_some()) {
            self.report(id, "not exactly one event per proof");
        }
    }

    /// Checks that an Uploaded upload has its object, and that no other upload has one.
    fn object(&mut self, id: &str, row: &Row) {
        let object = self.snapshot.objects.get(&row.key);
        let own = object.filter(|object| object.upload.as_deref() == Some(id));
        match (row.status.as_str(), own) {
            ("Uploaded" | "Processed", None) => self.report(id, "Uploaded without its object"),
            ("Uploaded" | "Processed", Some(object)) if Some(&object.etag) != row.etag.as_ref() => {
                self.report(id, "the object is not the proven one");
            }
            // An incorrect object is kept, so that a person can inspect it.
            ("Uploaded" | "Processed" | "Error", Some(_)) | (_, None) => {}
            ("Expired", Some(_)) if row.error.is_some() => {}
            (status, Some(_)) => self.report(id, &format!("{status}, but its object exists")),
        }
    }

    /// Checks that each object belongs to an upload with that key.
    fn owner(&mut self, key: &str, object: &Object) {
        let row = (object.upload.as_ref()).and_then(|id| self.snapshot.uploads.get(id));
        if row.is_none_or(|row| row.key != key) {
            self.violations
                .push(format!("an object without an upload: {key} {object:?}"));
        }
    }

    /// Checks that every event with a notification was delivered, and nothing else.
    fn deliveries(&mut self) {
        let mut undelivered = Vec::new();
        let mut known = BTreeMap::new();
        for (id, events) in &self.snapshot.events {
            for event in events.iter().filter(|event| event.notify) {
                known.insert(&event.id, (id, event));
                if !self.snapshot.delivered.contains_key(&event.id) {
                    undelivered.push(id.clone());
                }
            }
        }
        let mut unexpected = Vec::new();
        for (event, messages) in &self.snapshot.delivered {
            let right = known.get(event).is_some_and(|(id, known)| {
                let sequence = known.sequence.to_string();
                (messages.iter()).all(|message| {
                    message == &messages[0]
                        && message["data"]["upload_id"] == id.as_str()
                        && message["type"] == known.kind.as_str()
                        && message["sequence"] == sequence.as_str()
                })
            });
            if !right {
                unexpected.push(format!("a delivery without a matching event: {messages:?}"));
            }
        }
        for id in undelivered {
            self.report(&id, "an event was not delivered");
        }
        self.violations.extend(unexpected);
    }

    /// Checks that the responses that a client received still hold.
    fn record(&mut self, record: &ClientRecord) {
        for fault in &record.faults {
            self.violations.push(format!("{fault}\n  {record:#?}"));
        }
        let mut made = self
            .snapshot
            .uploads
            .iter()
            .filter(|(_, row)| row.name == record.name);
        let (made, second) = (made.next(), made.next());
        if second.is_some() || record.ids.len() > 1 {
            self.violations
                .push(format!("one key, two uploads: {second:?}\n  {record:#?}"));
        }
        let Some((id, row)) = made else {
            if !record.ids.is_empty() {
                self.violations
                    .push(format!("a session without a row\n  {record:#?}"));
            }
            return;
        };
        if record.ids.iter().any(|known| known != id) {
            self.report(id, "the client received the id of another upload");
        }
        let status = row.status.as_str();
        let after: &[&str] = match record {
            ClientRecord { deleted: true, .. } => &["Deleted"],
            ClientRecord {
                cancelled: true, ..
            } => &["Cancelled"],
            ClientRecord {
                acknowledged: true, ..
            } => &["Uploaded", "Superseded", "Deleted"],
            _ => return,
        };
        if !after.contains(&status) {
            self.report(id, "the response to the client does not hold");
        }
        if status == "Superseded"
            && !row.overwrite
            && record.acknowledged
            && !record.behavior.is_shared()
        {
            self.report(id, "superseded at a path that no other client uses");
        }
    }
}
