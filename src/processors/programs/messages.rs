//! What a program writes to standard error.

use std::io::{BufRead as _, BufReader, Read};

/// The largest part of a line that is searched, in bytes.
const MAX_LINE_BYTES: u64 = 4_096;

/// The phrases in the messages of a program that have a meaning here. Everything else is only
/// counted: the messages may quote the document, without any bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// The number of lines that report an error.
    pub errors: u64,
    /// The document needs a password.
    pub needs_password: bool,
    /// The tables for a character set are not installed.
    pub lacks_tables: bool,
    /// An allocation failed.
    pub out_of_memory: bool,
}

impl Messages {
    /// Reads messages to their end. A broken pipe is the end, too.
    pub fn read(source: impl Read) -> Self {
        let mut messages = Self::default();
        let mut source = BufReader::with_capacity(64 * 1024, source);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut bounded = source.by_ref().take(MAX_LINE_BYTES);
            match bounded.read_until(b'\n', &mut line) {
                Ok(read) if read > 0 => messages.add(&line),
                _ => return messages,
            }
        }
    }

    fn add(&mut self, line: &[u8]) {
        let contains = |phrase: &[u8]| line.windows(phrase.len()).any(|part| part == phrase);
        let is_error = contains(b"Error");
        self.errors = self.errors.saturating_add(u64::from(is_error));
        // The phrases are at the start of a line or the end of a short one: a document that quotes
        // them changes only the message about itself.
        self.needs_password |= is_error && contains(b"Incorrect password");
        self.lacks_tables |= is_error && contains(b"Missing language pack");
        self.out_of_memory |= contains(b"std::bad_alloc") || contains(b"Out of memory");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_and_lines_counted() {
        let text = "Syntax Warning: a\nSyntax Error (9): b\nCommand Line Error: Incorrect password\n\
            Syntax Error: Missing language pack for 'Adobe-Japan1' mapping\nterminate called after \
            throwing an instance of 'std::bad_alloc'";
        let expected = Messages {
            errors: 3,
            needs_password: true,
            lacks_tables: true,
            out_of_memory: true,
        };
        assert_eq!(Messages::read(text.as_bytes()), expected);
    }

    #[test]
    fn endless_line_is_read_in_bounded_parts() {
        let long = std::io::repeat(b'x').take(10 << 20);
        assert_eq!(Messages::read(long), Messages::default());
    }
}
