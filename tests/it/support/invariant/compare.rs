//! The comparison. Each disagreement is a line that says what is wrong, with all that is known of
//! the upload below it.

use std::collections::BTreeMap;

use super::snapshot::{Event, Object, Row, Snapshot};
use super::transitions::{NOTES, TRANSITIONS};
use crate::support::fleet::Fleet;
use crate::support::load::ClientRecord;

/// Everything that is wrong.
pub fn all(snapshot: &Snapshot, records: &[ClientRecord], fleet: &Fleet) -> Vec<String> {
    let told = records
        .iter()
        .map(|record| (record.name.as_str(), record))
        .collect();
    let mut check = Check {
        snapshot,
        told,
        faults: Vec::new(),
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
    let mut faults = check.faults;
    for (number, replica) in fleet.replicas.iter().enumerate() {
        let log = replica.log();
        for line in log.lines().filter(|line| line.contains("panicked")) {
            faults.push(format!("replica {number}: {line}"));
        }
    }
    faults
}

struct Check<'a> {
    snapshot: &'a Snapshot,
    told: BTreeMap<&'a str, &'a ClientRecord>,
    faults: Vec<String>,
}

impl Check<'_> {
    fn wrong(&mut self, id: &str, what: &str) {
        let row = self.snapshot.uploads.get(id);
        let record = row.and_then(|row| self.told.get(row.name.as_str()));
        let events = self.events(id);
        let object = row.and_then(|row| self.snapshot.objects.get(&row.key));
        self.faults.push(format!(
            "{what}: upload {id}\n  row     {row:?}\n  events  {events:?}\n  object  {object:?}\n  record   {record:#?}"
        ));
    }

    fn events(&self, id: &str) -> &[Event] {
        self.snapshot.events.get(id).map_or(&[], Vec::as_slice)
    }

    /// The events lead from Pending to where the row is, by arrows that exist, without a gap.
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
                _ => return self.wrong(id, &format!("no such arrow from {status}")),
            }
            if usize::try_from(event.sequence) != Ok(index + 1) {
                return self.wrong(id, "a gap in the sequence");
            }
        }
        if status != row.status || usize::try_from(row.sequence) != Ok(events.len()) {
            self.wrong(id, "the history leads elsewhere");
        }
        if ["Pending", "Deleting"].contains(&row.status.as_str()) {
            self.wrong(id, "unfinished");
        }
        let proofs = events
            .iter()
            .filter(|event| event.kind == "dataset.uploaded");
        if proofs.count() != usize::from(row.etag.is_some()) {
            self.wrong(id, "not one event a proof");
        }
    }

    /// Who is Uploaded has its object, who is not has none.
    fn object(&mut self, id: &str, row: &Row) {
        let object = self.snapshot.objects.get(&row.key);
        let own = object.filter(|object| object.upload.as_deref() == Some(id));
        match (row.status.as_str(), own) {
            ("Uploaded" | "Processed", None) => self.wrong(id, "Uploaded without its object"),
            ("Uploaded" | "Processed", Some(object)) if Some(&object.etag) != row.etag.as_ref() => {
                self.wrong(id, "the object is not the proven one");
            }
            // What came wrong stays for a person to look at.
            ("Uploaded" | "Processed" | "Error", Some(_)) | (_, None) => {}
            ("Expired", Some(_)) if row.error.is_some() => {}
            (status, Some(_)) => self.wrong(id, &format!("{status}, and its object stands")),
        }
    }

    /// Each object names an upload of that key.
    fn owner(&mut self, key: &str, object: &Object) {
        let row = (object.upload.as_ref()).and_then(|id| self.snapshot.uploads.get(id));
        if row.is_none_or(|row| row.key != key) {
            self.faults
                .push(format!("an object without an upload: {key} {object:?}"));
        }
    }

    /// What was to be told was told, and nothing else.
    fn deliveries(&mut self) {
        let mut silent = Vec::new();
        let mut known = BTreeMap::new();
        for (id, events) in &self.snapshot.events {
            for event in events.iter().filter(|event| event.notify) {
                known.insert(&event.id, (id, event));
                if !self.snapshot.delivered.contains_key(&event.id) {
                    silent.push(id.clone());
                }
            }
        }
        let mut strange = Vec::new();
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
                strange.push(format!("a delivery of no such event: {messages:?}"));
            }
        }
        for id in silent {
            self.wrong(&id, "an event that nobody was told of");
        }
        self.faults.extend(strange);
    }

    /// What a client was told still holds.
    fn record(&mut self, record: &ClientRecord) {
        for fault in &record.faults {
            self.faults.push(format!("{fault}\n  {record:#?}"));
        }
        let mut made = self
            .snapshot
            .uploads
            .iter()
            .filter(|(_, row)| row.name == record.name);
        let (made, second) = (made.next(), made.next());
        if second.is_some() || record.ids.len() > 1 {
            self.faults
                .push(format!("one key, two uploads: {second:?}\n  {record:#?}"));
        }
        let Some((id, row)) = made else {
            if !record.ids.is_empty() {
                self.faults
                    .push(format!("a session without a row\n  {record:#?}"));
            }
            return;
        };
        if record.ids.iter().any(|told| told != id) {
            self.wrong(id, "the client was told of another upload");
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
            self.wrong(id, "the client was told otherwise");
        }
        if status == "Superseded"
            && !row.overwrite
            && record.acknowledged
            && !record.behavior.is_shared()
        {
            self.wrong(id, "superseded at a path of its own");
        }
    }
}
