//! The text of a document, page by page, in the form in which it is stored and searched.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The largest number of pages of a document.
pub const MAX_PAGES: u32 = 100_000;
/// The largest text of a page in bytes; the rest is cut off. Escaped as JSON it is smaller than
/// 1 MiB.
pub const MAX_PAGE_BYTES: usize = 256 * 1024;

/// The text of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageText {
    /// The number of the page, from 1.
    pub page: u32,
    /// The text, [normalized](normalize).
    pub text: String,
}

impl PageText {
    /// Whether the number and the text are within their limits, and Postgres can store the text.
    pub fn is_valid(&self) -> bool {
        (1..=MAX_PAGES).contains(&self.page)
            && self.text.len() <= MAX_PAGE_BYTES
            && !self.text.contains('\0')
    }
}

/// Normalizes text, so that words are found however a document writes them: compatibility
/// characters such as ligatures and full-width letters become ordinary ones, and letters with
/// accents become one character each (NFKC). Marks without a width that are inside of words (those
/// of the writing direction, soft hyphens, byte order marks) and NUL are removed. Other control
/// characters, except line ends and tabs, become spaces.
///
/// Returns at most `max_bytes`, and whether the rest was cut off. Queries are normalized in the
/// same way.
pub fn normalize(text: &str, max_bytes: usize) -> (String, bool) {
    let kept = text.chars().filter(|character| !is_removed(*character));
    let mut normalized = String::with_capacity(text.len().min(max_bytes));
    let mut push = |character: char| {
        let character = match character {
            '\n' | '\t' => character,
            control if control.is_control() => ' ',
            character => character,
        };
        let fits = normalized.len() + character.len_utf8() <= max_bytes;
        if fits {
            normalized.push(character);
        }
        fits
    };
    // Most text is ASCII, which normalization leaves as it is.
    let is_whole = match text.is_ascii() {
        true => kept.into_iter().all(&mut push),
        false => kept.nfkc().all(&mut push),
    };
    (normalized, !is_whole)
}

/// Marks without a width, and NUL, which Postgres cannot store.
fn is_removed(character: char) -> bool {
    matches!(character,
        '\0' | '\u{ad}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_same_however_they_are_written() {
        for (written, normalized) in [
            ("o\u{fb03}ce \u{fb01}le", "office file"),
            ("\u{ff24}\u{ff21}\u{ff34}\u{ff21}", "DATA"),
            ("cafe\u{301}", "caf\u{e9}"),
            ("al\0pha", "alpha"),
            ("\u{202b}\u{62a}\u{642}\u{202c}", "\u{62a}\u{642}"),
            ("eps\u{ad}ilon", "epsilon"),
            ("a\u{b}b\u{7f}c\u{85}d\re", "a b c d e"),
            ("one\ttwo\nthree", "one\ttwo\nthree"),
        ] {
            assert_eq!(normalize(written, 100), (normalized.to_owned(), false));
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(normalize("abc", 3), ("abc".to_owned(), false));
        assert_eq!(normalize("abcd", 3), ("abc".to_owned(), true));
        assert_eq!(
            normalize("a\u{20ac}\u{20ac}", 5),
            ("a\u{20ac}".to_owned(), true)
        );
        // One character of the source becomes eighteen.
        let (text, is_cut) = normalize(&"\u{fdfa}".repeat(10), 20);
        assert!(text.len() <= 20 && is_cut, "{text}");
    }

    #[test]
    fn largest_page_fits_into_a_record() {
        let text = "\"".repeat(MAX_PAGE_BYTES);
        let page = PageText {
            page: MAX_PAGES,
            text,
        };
        assert!(page.is_valid());
        let record = serde_json::to_string(&page).unwrap();
        assert!(record.len() < 1024 * 1024, "{}", record.len());
    }
}
