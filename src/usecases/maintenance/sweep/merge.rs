//! The comparison: merges two sorted streams, and holds at most one page of each.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::domain::object::same_etag;
use crate::objects::ListedObject;
use crate::store::uploads::ProvenRow;

/// A difference between the listing and the rows. It is checked again, because both are as old as
/// their pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// The row's object is missing or has another ETag, or the row is marked as drifted and its
    /// object is correct again.
    Row(ProvenRow),
    /// No acknowledged upload has this key.
    Object(String),
}

/// The next action of the caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Add another page of the listing.
    NeedObjects,
    /// Add another page of the rows.
    NeedRows,
    /// Check this difference.
    Difference(Difference),
    /// Both streams have ended.
    End,
}

/// Why a listing cannot be compared with the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadListing {
    /// The keys are not sorted; directory buckets list like this.
    #[error(
        "the store does not list keys in the order of their UTF-8 bytes: its listing cannot be compared with the rows"
    )]
    Unordered,
    /// The listing announces more pages, and returns an empty one.
    #[error("the store's listing does not come to an end")]
    Endless,
}

#[derive(Debug, Default)]
pub(super) struct Merge {
    objects: VecDeque<ListedObject>,
    rows: VecDeque<ProvenRow>,
    objects_ended: bool,
    rows_ended: bool,
    /// The positions after which the next pages start.
    last_object: Option<String>,
    last_row: Option<(String, uuid::Uuid)>,
    /// Whether a row had the key of the first object.
    has_row: bool,
    /// The key that is being compared, and the last key whose comparison is complete.
    current_key: Option<String>,
    completed_key: Option<String>,
}

impl Merge {
    /// Starts after `position`.
    pub(super) fn after(position: Option<String>) -> Self {
        Self {
            last_object: position.clone(),
            // After every row of that key.
            last_row: position.clone().map(|key| (key, uuid::Uuid::max())),
            completed_key: position,
            ..Self::default()
        }
    }

    pub(super) fn last_object(&self) -> Option<&str> {
        self.last_object.as_deref()
    }

    pub(super) fn last_row(&self) -> Option<(&str, uuid::Uuid)> {
        self.last_row.as_ref().map(|(key, id)| (key.as_str(), *id))
    }

    /// The last key whose comparison is complete.
    pub(super) fn completed_key(&self) -> Option<&str> {
        self.completed_key.as_deref()
    }

    pub(super) fn add_objects(
        &mut self,
        page: Vec<ListedObject>,
        is_last: bool,
    ) -> Result<(), BadListing> {
        if page.is_empty() && !is_last {
            return Err(BadListing::Endless);
        }
        for object in page {
            if (self.last_object.as_ref()).is_some_and(|last| *last >= object.key) {
                return Err(BadListing::Unordered);
            }
            self.last_object = Some(object.key.clone());
            self.objects.push_back(object);
        }
        self.objects_ended = is_last;
        Ok(())
    }

    /// Adds the rows of `bucket`, and returns how many rows belonged to other buckets.
    pub(super) fn add_rows(&mut self, page: Vec<ProvenRow>, bucket: &str, is_last: bool) -> usize {
        if let Some(last) = page.last() {
            self.last_row = Some((last.key.clone(), last.id));
        }
        let all = page.len();
        let previous = self.rows.len();
        (self.rows).extend(page.into_iter().filter(|row| row.bucket == bucket));
        self.rows_ended = is_last;
        all - (self.rows.len() - previous)
    }

    /// Advances to the next difference, or until a page is needed.
    pub(super) fn step(&mut self) -> Step {
        loop {
            if self.objects.is_empty() && !self.objects_ended {
                return Step::NeedObjects;
            }
            if self.rows.is_empty() && !self.rows_ended {
                return Step::NeedRows;
            }
            let object = self.objects.front().map(|object| object.key.as_str());
            let row = self.rows.front().map(|row| row.key.as_str());
            // Several rows may have the same key; an object's key is unique.
            let row_first = match (object, row) {
                (None, None) => {
                    self.completed_key = self.current_key.take().or(self.completed_key.take());
                    return Step::End;
                }
                (Some(object), Some(row)) => row <= object,
                (None, Some(_)) => true,
                (Some(_), None) => false,
            };
            let difference = if row_first {
                self.next_row()
            } else {
                self.next_object()
            };
            if let Some(difference) = difference {
                return Step::Difference(difference);
            }
        }
    }

    fn next_row(&mut self) -> Option<Difference> {
        let row = self.rows.pop_front()?;
        self.advance_to(&row.key);
        let object = self.objects.front().filter(|object| object.key == row.key);
        self.has_row |= object.is_some();
        let proven = row.etag.as_deref().unwrap_or_default();
        let same = object.is_some_and(|object| same_etag(proven, &object.etag));
        (!same || row.drifted).then_some(Difference::Row(row))
    }

    fn next_object(&mut self) -> Option<Difference> {
        let object = self.objects.pop_front()?;
        self.advance_to(&object.key);
        let has_row = std::mem::take(&mut self.has_row);
        (!has_row).then_some(Difference::Object(object.key))
    }

    /// When the first item of another key is reached, the previous key is complete.
    fn advance_to(&mut self, key: &str) {
        if self.current_key.as_deref() != Some(key) {
            let previous = self.current_key.replace(key.to_owned());
            self.completed_key = previous.or(self.completed_key.take());
        }
    }
}
