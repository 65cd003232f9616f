//! The model: what the contract says, on a few numbers and words.

/// Seconds that a session lives, and that pass with each [`Advance`](super::Op::Advance).
pub const LIFE: i64 = 120;
pub const STEP: i64 = 150;
pub const GRACE: i64 = 1;

/// An upload.
#[derive(Clone, Debug)]
pub struct Promise {
    pub place: usize,
    pub overwrite: bool,
    pub declares: bool,
    pub status: &'static str,
    /// The types of its events.
    pub told: Vec<&'static str>,
    pub deadline: i64,
    /// The bytes that were proven.
    pub proven: Option<String>,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The upload that it names.
    pub by: Option<usize>,
    pub bytes: String,
}

/// Everything.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub uploads: Vec<Promise>,
    pub objects: [Option<Object>; 2],
    pub now: i64,
}

/// What a delete does with another object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    False,
    True,
    Remove,
}

impl Force {
    /// As a query has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Force::False => "false",
            Force::True => "true",
            Force::Remove => "remove",
        }
    }
}

/// Status and problem code.
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
        self.uploads.push(Promise {
            place,
            overwrite,
            declares,
            status: "Pending",
            told: Vec::new(),
            deadline: self.now + LIFE,
            proven: None,
        });
        (201, "")
    }

    /// What S3 says to the bytes.
    pub fn put(&mut self, upload: usize, bytes: &str, right: bool) -> u16 {
        let promise = &self.uploads[upload];
        let place = promise.place;
        if promise.declares && !right {
            return 400;
        }
        if !promise.overwrite && self.objects[place].is_some() {
            return 412;
        }
        self.objects[place] = Some(Object {
            by: Some(upload),
            bytes: bytes.to_owned(),
        });
        200
    }

    pub fn acknowledge(&mut self, upload: usize, honest: bool) -> Answer {
        let promise = &self.uploads[upload];
        if promise.proven.is_some() && promise.status != "Deleted" {
            return DONE;
        }
        if !["Pending", "Expired"].contains(&promise.status) {
            return WRONG_STATUS;
        }
        if promise.declares && !honest {
            return (422, "invalid-request");
        }
        match &self.objects[promise.place] {
            None => MISSING,
            Some(object) if object.by == Some(upload) && honest => {
                if self.may_stand(upload) {
                    self.prove(upload);
                    return DONE;
                }
                self.refute(upload, "Error", "upload.failed");
                EXISTS
            }
            Some(object) if object.by == Some(upload) => {
                self.refute(upload, "Error", "upload.failed");
                (422, "object-mismatch")
            }
            Some(_) if promise.overwrite => MISSING,
            Some(_) => {
                self.take(upload, "Error", "upload.failed");
                EXISTS
            }
        }
    }

    /// Whether another upload counts on an object: it names one that is or may still be proven, or
    /// has the bytes of one that is.
    fn is_counted_on(&self, object: &Object, upload: usize, place: usize) -> bool {
        (self.uploads.iter().enumerate()).any(|(other, promise)| {
            let named = object.by == Some(other)
                && ["Pending", "Expired", "Uploaded"].contains(&promise.status);
            let proven =
                promise.status == "Uploaded" && promise.proven.as_ref() == Some(&object.bytes);
            other != upload && promise.place == place && (named || proven)
        })
    }

    pub fn cancel(&mut self, upload: usize) -> Answer {
        let promise = &self.uploads[upload];
        if promise.status != "Pending" {
            return WRONG_STATUS;
        }
        let place = promise.place;
        let own = (self.objects[place].as_ref()).filter(|object| object.by == Some(upload));
        if own.is_some_and(|object| !self.is_counted_on(object, upload, place)) {
            self.objects[place] = None;
        }
        self.take(upload, "Cancelled", "upload.cancelled");
        DONE
    }

    pub fn delete(&mut self, upload: usize, force: Force) -> Answer {
        let promise = &self.uploads[upload];
        if !["Uploaded", "Error"].contains(&promise.status) {
            return WRONG_STATUS;
        }
        let place = promise.place;
        let goes = self.objects[place].as_ref().map(|object| {
            let own = match &promise.proven {
                Some(proven) => *proven == object.bytes,
                None => object.by == Some(upload),
            };
            let forced = force == Force::Remove && promise.status != "Error";
            (own || forced) && !self.is_counted_on(object, upload, place)
        });
        match goes {
            Some(true) => self.objects[place] = None,
            Some(false) if promise.status != "Error" && force == Force::False => {
                return (409, "dataset-drifted");
            }
            Some(false) | None => {}
        }
        self.take(upload, "Deleting", "dataset.deleting");
        self.take(upload, "Deleted", "dataset.deleted");
        (204, "")
    }

    pub fn refresh(&mut self, upload: usize) -> Answer {
        let (now, promise) = (self.now, &mut self.uploads[upload]);
        if promise.status == "Pending" {
            promise.deadline = now + LIFE;
        }
        DONE
    }

    pub fn janitor(&mut self) {
        for upload in 0..self.uploads.len() {
            let promise = &self.uploads[upload];
            if promise.status != "Pending" || promise.deadline + GRACE >= self.now {
                continue;
            }
            let object = &self.objects[promise.place];
            if object
                .as_ref()
                .is_some_and(|object| object.by == Some(upload))
            {
                match self.may_stand(upload) {
                    true => self.prove(upload),
                    false => self.refute(upload, "Expired", "upload.expired"),
                }
            } else {
                self.take(upload, "Expired", "upload.expired");
            }
        }
    }

    /// Whether the janitor may take away what stands at a place: it came after its upload ended.
    pub fn is_left_over(&self, place: usize) -> bool {
        let by = self.objects[place].as_ref().and_then(|object| object.by);
        by.is_some_and(|by| {
            let promise = &self.uploads[by];
            ["Deleted", "Cancelled"].contains(&promise.status)
                && promise.deadline + GRACE < self.now
        })
    }

    fn current(&self, place: usize) -> Option<usize> {
        (self.uploads.iter())
            .position(|upload| upload.place == place && upload.status == "Uploaded")
    }

    /// A write-once upload supersedes nothing.
    fn may_stand(&self, upload: usize) -> bool {
        let promise = &self.uploads[upload];
        promise.overwrite || self.current(promise.place).is_none()
    }

    /// Its object stands there and is not acknowledged. The dataset whose bytes it replaced is told
    /// to have drifted, once.
    fn refute(&mut self, upload: usize, status: &'static str, event: &'static str) {
        let place = self.uploads[upload].place;
        let standing = self.objects[place]
            .as_ref()
            .map(|object| object.bytes.clone());
        if let Some(other) = self.current(place) {
            let dataset = &mut self.uploads[other];
            if dataset.proven != standing && !dataset.told.contains(&"dataset.drifted") {
                dataset.told.push("dataset.drifted");
            }
        }
        self.take(upload, status, event);
    }

    fn prove(&mut self, upload: usize) {
        let place = self.uploads[upload].place;
        if let Some(other) = self.current(place) {
            self.take(other, "Superseded", "dataset.superseded");
        }
        self.take(upload, "Uploaded", "dataset.uploaded");
        let object = self.objects[place].as_ref();
        self.uploads[upload].proven = object.map(|object| object.bytes.clone());
    }

    fn take(&mut self, upload: usize, status: &'static str, event: &'static str) {
        let promise = &mut self.uploads[upload];
        promise.status = status;
        promise.told.push(event);
    }
}
