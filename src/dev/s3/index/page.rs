//! One page of a listing: a range scan that jumps over folded folders.
//!
//! A page costs what it returns. A common prefix with a million keys below it is one seek.

use redb::ReadOnlyTable;

use super::super::errors::Fault;
use super::super::object::Object;

/// What to list.
pub(in crate::dev::s3) struct Query<'a> {
    pub bucket: &'a str,
    /// Only keys that start so; may be empty.
    pub prefix: &'a str,
    /// Keys that share what is up to its first place after the prefix fold into one entry.
    pub delimiter: Option<&'a str>,
    pub after: Position,
    /// Objects and common prefixes together.
    pub max: usize,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dev::s3) enum Position {
    Start,
    /// After this key.
    Key(String),
    /// After every key that starts so.
    Prefix(String),
}

/// Part of a listing, in the order of the keys' bytes.
#[derive(Debug, Default)]
pub(in crate::dev::s3) struct Page {
    pub objects: Vec<(String, Object)>,
    pub prefixes: Vec<String>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Position>,
}

type Objects = ReadOnlyTable<(&'static str, &'static [u8]), &'static [u8]>;

/// Reads one page.
pub(super) fn read(table: &Objects, query: &Query<'_>) -> Result<Page, Fault> {
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
            let (place, record) = row?;
            let (bucket, key) = place.value();
            if bucket != query.bucket || !key.starts_with(query.prefix.as_bytes()) {
                return Ok(page);
            }
            if page.objects.len() + page.prefixes.len() >= query.max {
                page.next = last;
                return Ok(page);
            }
            let key = String::from_utf8_lossy(key).into_owned();
            if let Some(folder) = query.folder_of(&key) {
                last = Some(Position::Prefix(folder.clone()));
                from = after_prefix(&folder);
                page.prefixes.push(folder);
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
    fn folder_of(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix)?;
        let (folder, _) = rest.split_once(delimiter)?;
        Some(format!("{}{folder}{delimiter}", self.prefix))
    }
}

impl Position {
    fn first_bytes(&self) -> Vec<u8> {
        match self {
            Self::Start => Vec::new(),
            // The least byte string above the key.
            Self::Key(key) => [key.as_bytes(), b"\0"].concat(),
            Self::Prefix(prefix) => after_prefix(prefix),
        }
    }
}

/// The least byte string above everything that starts with `prefix`. UTF-8 has no byte 0xFF, so
/// the last one can always grow.
fn after_prefix(prefix: &str) -> Vec<u8> {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last = last.saturating_add(1);
    }
    bytes
}
