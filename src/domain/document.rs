//! The text of a document, page by page, in the form in which it is stored and searched.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The largest number of pages of a document.
pub const MAX_PAGES: u32 = 100_000;
/// The largest text of a page in bytes; the rest is cut off. Escaped as JSON it is smaller than
/// 1 MiB.
pub const MAX_PAGE_BYTES: usize = 256 * 1024;
/// The most text of a document in bytes, of all pages together; the rest is cut off.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024 * 1024;
/// The largest number of folders of a path that the search knows.
const MAX_FOLDERS: usize = 16;

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
    /// Whether the number and the text are within their limits, and the text has no control
    /// characters other than line ends and tabs: the search uses the others as marks.
    pub fn is_valid(&self) -> bool {
        (1..=MAX_PAGES).contains(&self.page)
            && self.text.len() <= MAX_PAGE_BYTES
            && !self.text.chars().any(is_refused_control)
    }
}

/// The folders that contain a path, from the root of the tenant on, as the index of the search has
/// them: each after the name of the tenant, so that no folder is one of another tenant. A path that
/// ends with `/` is a folder that contains itself. Folders in more than 15 others are left out.
pub fn search_folders(tenant: &str, path: &str) -> Vec<String> {
    let ends = path.match_indices('/').map(|(index, _)| index + 1);
    let folders = ends.filter_map(|end| path.get(..end));
    let folders = folders.map(|folder| format!("\u{1}{tenant}{folder}"));
    folders.take(MAX_FOLDERS).collect()
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
        let character = match is_refused_control(character) {
            true => ' ',
            false => character,
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

fn is_refused_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
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
    fn text_with_the_marks_of_the_search_is_no_page() {
        let page = |text: &str| PageText {
            page: 1,
            text: text.to_owned(),
        };
        assert!(page("one\ttwo\n<three> \u{62a}").is_valid());
        for control in ["\0", "\u{1}", "\u{3}", "\r", "\u{c}", "\u{7f}", "\u{85}"] {
            assert!(!page(&format!("a{control}b")).is_valid(), "{control:?}");
        }
    }

    #[test]
    fn path_is_in_each_of_its_folders() {
        let of_path = |path| search_folders("acme", path);
        assert_eq!(of_path("/a.pdf"), ["\u{1}acme/"]);
        let nested = ["\u{1}acme/", "\u{1}acme/in/", "\u{1}acme/in/x/"];
        assert_eq!(of_path("/in/x/a.pdf"), nested);
        assert_eq!(of_path("/in/x/"), nested);
        // The start of a path is in the folders that contain whatever starts with it.
        assert_eq!(of_path("/in/x"), nested[..2]);
        assert_eq!(of_path(&"/a".repeat(40)).len(), 16);
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
