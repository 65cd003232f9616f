//! The model: the rules of the contract, applied to a few numbers and strings.

/// How long a session lives, and how much time passes with each [`Advance`](super::Op::Advance), in
/// seconds.
pub const LIFE: i64 = 120;
pub const STEP: i64 = 150;
pub const GRACE: i64 = 1;

/// What the model knows of an upload.
#[derive(Clone, Debug)]
pub struct Upload {
    pub place: usize,
    pub overwrite: bool,
    pub declares: bool,
    pub status: &'static str,
    /// The types of its events, in order.
    pub events: Vec<&'static str>,
    pub deadline: i64,
    /// The bytes that were proven.
    pub proven: Option<String>,
}

/// The object at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The upload whose id the object carries.
    pub by: Option<usize>,
    pub bytes: String,
}

/// The whole state of the model.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub uploads: Vec<Upload>,
    pub objects: [Option<Object>; 2],
    pub now: i64,
}

/// The `force` parameter of a delete, which decides about an object that is not the proven one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    False,
    True,
    Remove,
}

impl Force {
    /// The value of the query parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Force::False => "false",
            Force::True => "true",
            Force::Remove => "remove",
        }
    }
}

/// The HTTP status and the problem code.
pub type Answer = (u16, &'static str);

const DONE: Answer = (200, "");
const WRONG_STATUS: Answer = (409, "invalid-status");
const MISSING: Answer = (409, "object-missing");
const EXISTS: Answer = (409, "dataset-exists");

impl Model {
    pub fn create(&mut self, place: usize, overwrite: bool, declares: bool) -> Answer {
        if !overwrite && self.current(place).is_some() {
            return EXISTS;
        }
        self.uploads.push(Upload {
            place,
            overwrite,
            declares,
            status: "Pending",
            events: Vec::new(),
            deadline: self.now + LIFE,
            proven: None,
        });
        (201, "")
    }

    /// The status with which S3 answers the PUT.
    pub fn put(&mut self, upload: usize, bytes: &str, right: bool) -> u16 {
        let record = &self.uploads[upload];
        let place = record.place;
        if record.declares && !right {
            return 400;
        }
        if !record.overwrite && self.objects[place].is_some() {
            return 412;
        }
        self.objects[place] = Some(Object {
            by: Some(upload),
            bytes: bytes.to_owned(),
        });
        200
    }

    pub fn acknowledge(&mut self, upload: usize, honest: bool) -> Answer {
        let record = &self.uploads[upload];
        if record.proven.is_some() && record.status != "Deleted" {
            return DONE;
        }
        if !["Pending", "Expired"].contains(&record.status) {
            return WRONG_STATUS;
        }
        if record.declares && !honest {
            return (422, "invalid-request");
        }
        match &self.objects[record.place] {
            None => MISSING,
            Some(object) if object.by == Some(upload) && honest => {
                if self.may_become_current(upload) {
                    self.prove(upload);
                    return DONE;
                }
                self.reject(upload, "Error", "upload.failed");
                EXISTS
            }
            Some(object) if object.by == Some(upload) => {
                self.reject(upload, "Error", "upload.failed");
                (422, "object-mismatch")
            }
            Some(_) if record.overwrite => MISSING,
            Some(_) => {
                self.transition(upload, "Error", "upload.failed");
                EXISTS
            }
        }
    }

    /// Whether another upload needs the object: it carries the id of one that is or may still be
    /// proven, or it has the bytes of one that is.
    fn is_needed_by_another(&self, object: &Object, upload: usize, place: usize) -> bool {
        (self.uploads.iter().enumerate()).any(|(other, record)| {
            let named = object.by == Some(other)
                && ["Pending", "Expired", "Uploaded"].contains(&record.status);
            let proven =
                record.status == "Uploaded" && record.proven.as_ref() == Some(&object.bytes);
            other != upload && record.place == place && (named || proven)
        })
    }

    pub fn cancel(&mut self, upload: usize) -> Answer {
        let record = &self.uploads[upload];
        if record.status != "Pending" {
            return WRONG_STATUS;
        }
        let place = record.place;
        let own = (self.objects[place].as_ref()).filter(|object| object.by == Some(upload));
        if own.is_some_and(|object| !self.is_needed_by_another(object, upload, place)) {
            self.objects[place] = None;
        }
        self.transition(upload, "Cancelled", "upload.cancelled");
        DONE
    }

    pub fn delete(&mut self, upload: usize, force: Force) -> Answer {
        let record = &self.uploads[upload];
        if !["Uploaded", "Error"].contains(&record.status) {
            return WRONG_STATUS;
        }
        let place = record.place;
        let goes = self.objects[place].as_ref().map(|object| {
            let own = match &record.proven {
                Some(proven) => *proven == object.bytes,
                None => object.by == Some(upload),
            };
            let forced = force == Force::Remove && record.status != "Error";
            (own || forced) && !self.is_needed_by_another(object, upload, place)
        });
        match goes {
            Some(true) => self.objects[place] = None,
            Some(false) if record.status != "Error" && force == Force::False => {
                return (409, "dataset-drifted");
            }
            Some(false) | None => {}
        }
        self.transition(upload, "Deleting", "dataset.deleting");
        self.transition(upload, "Deleted", "dataset.deleted");
        (204, "")
    }

    pub fn refresh(&mut self, upload: usize) -> Answer {
        let (now, record) = (self.now, &mut self.uploads[upload]);
        if record.status == "Pending" {
            record.deadline = now + LIFE;
        }
        DONE
    }

    pub fn janitor(&mut self) {
        for upload in 0..self.uploads.len() {
            let record = &self.uploads[upload];
            if record.status != "Pending" || record.deadline + GRACE >= self.now {
                continue;
            }
            let object = &self.objects[record.place];
            if object
                .as_ref()
                .is_some_and(|object| object.by == Some(upload))
            {
                match self.may_become_current(upload) {
                    true => self.prove(upload),
                    false => self.reject(upload, "Expired", "upload.expired"),
                }
            } else {
                self.transition(upload, "Expired", "upload.expired");
            }
        }
    }

    /// Whether the janitor may remove the object at a place because it arrived after the end of its
    /// upload.
    pub fn is_left_over(&self, place: usize) -> bool {
        let by = self.objects[place].as_ref().and_then(|object| object.by);
        by.is_some_and(|by| {
            let record = &self.uploads[by];
            ["Deleted", "Cancelled"].contains(&record.status) && record.deadline + GRACE < self.now
        })
    }

    /// The janitor has removed an object that arrived after the end of its upload. It may have replaced
    /// the bytes of a dataset.
    pub fn remove_left_over(&mut self, place: usize) {
        self.objects[place] = None;
        self.record_drift(place);
    }

    fn current(&self, place: usize) -> Option<usize> {
        (self.uploads.iter())
            .position(|upload| upload.place == place && upload.status == "Uploaded")
    }

    /// A create-only upload supersedes nothing.
    fn may_become_current(&self, upload: usize) -> bool {
        let record = &self.uploads[upload];
        record.overwrite || self.current(record.place).is_none()
    }

    /// Ends an upload whose object exists but is not accepted. If the object replaced the bytes of
    /// a dataset, that dataset has drifted, which is recorded once.
    fn reject(&mut self, upload: usize, status: &'static str, event: &'static str) {
        self.record_drift(self.uploads[upload].place);
        self.transition(upload, status, event);
    }

    fn record_drift(&mut self, place: usize) {
        let standing = self.objects[place]
            .as_ref()
            .map(|object| object.bytes.clone());
        if let Some(other) = self.current(place) {
            let dataset = &mut self.uploads[other];
            if dataset.proven != standing && !dataset.events.contains(&"dataset.drifted") {
                dataset.events.push("dataset.drifted");
            }
        }
    }

    fn prove(&mut self, upload: usize) {
        let place = self.uploads[upload].place;
        if let Some(other) = self.current(place) {
            self.transition(other, "Superseded", "dataset.superseded");
        }
        self.transition(upload, "Uploaded", "dataset.uploaded");
        let object = self.objects[place].as_ref();
        self.uploads[upload].proven = object.map(|object| object.bytes.clone());
    }

    fn transition(&mut self, upload: usize, status: &'static str, event: &'static str) {
        let record = &mut self.uploads[upload];
        record.status = status;
        record.events.push(event);
    }
}
