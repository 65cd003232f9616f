//! The comparison. Each disagreement is a line that says what is wrong, with all that is known of
//! the upload below it.

use std::collections::BTreeMap;

use super::arrows::{ARROWS, NOTES};
use super::truth::{Event, Object, Row, Truth};
use crate::support::fleet::Fleet;
use crate::support::load::Story;

/// Everything that is wrong.
pub fn all(truth: &Truth, stories: &[Story], fleet: &Fleet) -> Vec<String> {
    let told = stories
        .iter()
        .map(|story| (story.name.as_str(), story))
        .collect();
    let mut check = Check {
        truth,
        told,
        faults: Vec::new(),
    };
    for (id, row) in &truth.uploads {
        check.history(id, row);
        check.object(id, row);
    }
    for (key, object) in &truth.objects {
        check.owner(key, object);
    }
    check.deliveries();
    for story in stories {
        check.story(story);
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
    truth: &'a Truth,
    told: BTreeMap<&'a str, &'a Story>,
    faults: Vec<String>,
}

impl Check<'_> {
    fn wrong(&mut self, id: &str, what: &str) {
        let row = self.truth.uploads.get(id);
        let story = row.and_then(|row| self.told.get(row.name.as_str()));
        let events = self.events(id);
        let object = row.and_then(|row| self.truth.objects.get(&row.key));
        self.faults.push(format!(
            "{what}: upload {id}\n  row     {row:?}\n  events  {events:?}\n  object  {object:?}\n  story   {story:#?}"
        ));
    }

    fn events(&self, id: &str) -> &[Event] {
        self.truth.events.get(id).map_or(&[], Vec::as_slice)
    }

    /// The events lead from Pending to where the row is, by arrows that exist, without a gap.
    fn history(&mut self, id: &str, row: &Row) {
        let events = self.events(id).to_vec();
        let mut status = "Pending";
        for (index, event) in events.iter().enumerate() {
            let arrow =
                (ARROWS.iter()).find(|(from, kind, _)| *from == status && *kind == event.kind);
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
        let object = self.truth.objects.get(&row.key);
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
        let row = (object.upload.as_ref()).and_then(|id| self.truth.uploads.get(id));
        if row.is_none_or(|row| row.key != key) {
            self.faults
                .push(format!("an object without an upload: {key} {object:?}"));
        }
    }

    /// What was to be told was told, and nothing else.
    fn deliveries(&mut self) {
        let mut silent = Vec::new();
        let mut known = BTreeMap::new();
        for (id, events) in &self.truth.events {
            for event in events.iter().filter(|event| event.notify) {
                known.insert(&event.id, (id, event));
                if !self.truth.delivered.contains_key(&event.id) {
                    silent.push(id.clone());
                }
            }
        }
        let mut strange = Vec::new();
        for (event, messages) in &self.truth.delivered {
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
    fn story(&mut self, story: &Story) {
        for fault in &story.faults {
            self.faults.push(format!("{fault}\n  {story:#?}"));
        }
        let mut made = self
            .truth
            .uploads
            .iter()
            .filter(|(_, row)| row.name == story.name);
        let (made, second) = (made.next(), made.next());
        if second.is_some() || story.ids.len() > 1 {
            self.faults
                .push(format!("one key, two uploads: {second:?}\n  {story:#?}"));
        }
        let Some((id, row)) = made else {
            if !story.ids.is_empty() {
                self.faults
                    .push(format!("a session without a row\n  {story:#?}"));
            }
            return;
        };
        if story.ids.iter().any(|told| told != id) {
            self.wrong(id, "the client was told of another upload");
        }
        let status = row.status.as_str();
        let after: &[&str] = match story {
            Story { deleted: true, .. } => &["Deleted"],
            Story {
                cancelled: true, ..
            } => &["Cancelled"],
            Story {
                acknowledged: true, ..
            } => &["Uploaded", "Superseded", "Deleted"],
            _ => return,
        };
        if !after.contains(&status) {
            self.wrong(id, "the client was told otherwise");
        }
        if status == "Superseded" && !row.overwrite && story.acknowledged && !story.plan.is_shared()
        {
            self.wrong(id, "superseded at a path of its own");
        }
    }
}
