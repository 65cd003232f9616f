//! A JSON object with one long array that is serialized while it is sent, one chunk at a time.

use actix_web::web::Bytes;
use serde::Serialize;

use crate::usecases::Error;

/// The size in bytes at which a chunk is sent.
const CHUNK: usize = 32 * 1024;

/// An iterator over the chunks of `{"name":[…]}`. An error ends it, so that the response is cut off
/// and the client cannot take it for complete.
pub struct LongArray<I> {
    name: &'static str,
    items: Option<I>,
    begun: bool,
}

impl<I, T> LongArray<I>
where
    I: Iterator<Item = Result<T, Error>>,
    T: Serialize,
{
    /// Serializes `items` as the array `name`.
    pub fn new(name: &'static str, items: I) -> Self {
        Self {
            name,
            items: Some(items),
            begun: false,
        }
    }
}

impl<I, T> Iterator for LongArray<I>
where
    I: Iterator<Item = Result<T, Error>>,
    T: Serialize,
{
    type Item = Result<Bytes, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let items = self.items.as_mut()?;
        let mut chunk = Vec::with_capacity(CHUNK + 4 * 1024);
        let mut is_first = !self.begun;
        if is_first {
            self.begun = true;
            chunk.extend_from_slice(b"{\"");
            chunk.extend_from_slice(self.name.as_bytes());
            chunk.extend_from_slice(b"\":[");
        }
        while chunk.len() < CHUNK {
            let Some(item) = items.next() else {
                chunk.extend_from_slice(b"]}");
                self.items = None;
                break;
            };
            if !std::mem::take(&mut is_first) {
                chunk.push(b',');
            }
            let written = item.and_then(|item| {
                serde_json::to_writer(&mut chunk, &item)
                    .map_err(|cause| Error::Internal(cause.into()))
            });
            if let Err(error) = written {
                self.items = None;
                return Some(Err(error));
            }
        }
        Some(Ok(chunk.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(items: Vec<&str>) -> String {
        let array = LongArray::new("items", items.into_iter().map(Ok));
        let bytes: Vec<u8> = array.flat_map(|chunk| chunk.unwrap()).collect();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn output_is_valid_json_for_any_length() {
        assert_eq!(text(vec![]), r#"{"items":[]}"#);
        assert_eq!(text(vec!["a", "b"]), r#"{"items":["a","b"]}"#);
        let long = "x".repeat(CHUNK);
        let read: serde_json::Value = serde_json::from_str(&text(vec![&long; 5])).unwrap();
        assert_eq!(read["items"].as_array().map(Vec::len), Some(5));
    }

    #[test]
    fn error_ends_output() {
        let items = [Ok(1), Err(Error::Internal("lost".into())), Ok(2)];
        let chunks: Vec<_> = LongArray::new("items", items.into_iter()).collect();
        assert!(matches!(&chunks[..], [Err(_)]), "{chunks:?}");
    }
}
