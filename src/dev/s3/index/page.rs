//! Reads one page of a listing: a range scan that skips the keys below a common prefix.
//!
//! The cost of a page depends only on the number of entries that it returns. A common prefix with a
//! million keys below it costs one seek.

use redb::ReadOnlyTable;

use super::super::errors::StoreError;
use super::super::object::Object;

/// The parameters of a listing.
pub(in crate::dev::s3) struct Query<'a> {
    pub bucket: &'a str,
    /// The prefix of the keys to list; may be empty.
    pub prefix: &'a str,
    /// Keys with the same text up to the first delimiter after the prefix are combined into one entry, a
    /// common prefix.
    pub delimiter: Option<&'a str>,
    pub after: Position,
    /// The largest number of objects and common prefixes together.
    pub max: usize,
}

/// The position at which a page starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dev::s3) enum Position {
    Start,
    /// After a key.
    Key(String),
    /// After all keys with a prefix.
    Prefix(String),
}

/// A page of a listing, in the byte order of the keys.
#[derive(Debug, Default)]
pub(in crate::dev::s3) struct Page {
    pub objects: Vec<(String, Object)>,
    pub prefixes: Vec<String>,
    /// The position of the next page; `None` on the last page.
    pub next: Option<Position>,
}

type Objects = ReadOnlyTable<(&'static str, &'static [u8]), &'static [u8]>;

/// Reads one page.
pub(super) fn read(table: &Objects, query: &Query<'_>) -> Result<Page, StoreError> {
    let mut page = Page::default();
    let mut last = None;
    let mut from = query
        .after
        .first_bytes()
        .max(query.prefix.as_bytes().to_vec());
    if query.max == 0 {
        return Ok(page);
    }
    'seek: loop {
        for row in table.range((query.bucket, from.as_slice())..)? {
            let (row_key, record) = row?;
            let (bucket, key) = row_key.value();
            if bucket != query.bucket || !key.starts_with(query.prefix.as_bytes()) {
                return Ok(page);
            }
            if page.objects.len() + page.prefixes.len() >= query.max {
                page.next = last;
                return Ok(page);
            }
            let key = String::from_utf8_lossy(key).into_owned();
            if let Some(prefix) = query.common_prefix(&key) {
                last = Some(Position::Prefix(prefix.clone()));
                from = after_prefix(&prefix);
                page.prefixes.push(prefix);
                continue 'seek;
            }
            last = Some(Position::Key(key.clone()));
            page.objects
                .push((key, serde_json::from_slice::<Object>(record.value())?));
        }
        return Ok(page);
    }
}

impl Query<'_> {
    fn common_prefix(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix)?;
        let (head, _) = rest.split_once(delimiter)?;
        Some(format!("{}{head}{delimiter}", self.prefix))
    }
}

impl Position {
    fn first_bytes(&self) -> Vec<u8> {
        match self {
            Self::Start => Vec::new(),
            // The smallest byte string greater than the key.
            Self::Key(key) => [key.as_bytes(), b"\0"].concat(),
            Self::Prefix(prefix) => after_prefix(prefix),
        }
    }
}

/// Returns the smallest byte string greater than every string that starts with `prefix`. UTF-8 contains
/// no byte 0xFF, so the last byte can always be incremented.
fn after_prefix(prefix: &str) -> Vec<u8> {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = last.saturating_add(1);
    }
    bytes
}
