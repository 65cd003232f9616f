//! A record as places in a buffer.

/// The most columns of which one can be chosen. A record may have more fields.
pub(super) const MAX_COLUMNS: usize = 16_384;

/// The fields of a record: the start and the end of the first [`MAX_COLUMNS`], and their number.
#[derive(Default)]
pub(super) struct Spans {
    list: Vec<(usize, usize)>,
    more: usize,
}

impl Spans {
    #[inline]
    pub(super) fn push(&mut self, start: usize, end: usize) {
        if self.list.len() < MAX_COLUMNS {
            self.list.push((start, end));
        } else {
            self.more += 1;
        }
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.more = 0;
    }
}

/// A record.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// What the places of the fields are in.
    pub(super) bytes: &'a [u8],
    pub(super) spans: &'a Spans,
}

impl<'a> Row<'a> {
    /// The field at an index, from 0; empty if there is none.
    #[inline]
    pub(super) fn field(&self, index: usize) -> &'a [u8] {
        let span = self.spans.list.get(index);
        span.and_then(|(start, end)| self.bytes.get(*start..*end))
            .unwrap_or(&[])
    }

    /// The number of fields.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.spans.list.len() + self.spans.more
    }
}
