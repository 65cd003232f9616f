//! Patterns of dataset paths: `/in/**/*.csv`.
//!
//! The matcher is our own, because the paths come from clients and the common crates fit worse.
//! `glob` tries all ways to divide the text among the stars, which takes a client's path of 1,024
//! bytes and a pattern with several stars to seconds; `globset` matches bytes, so that its `?` is
//! not a character, and knows more syntax than can be explained in one line.

use std::fmt;

use super::wildcard;

/// Characters that have a meaning in the patterns of other programs, and none here. They are
/// refused, so that such a pattern does not match nothing without a word.
const UNSUPPORTED: [char; 5] = ['[', ']', '{', '}', '\\'];

/// A pattern of dataset paths, matched with case, from the first `/` to the end.
///
/// In a segment, `*` stands for any number of characters and `?` for one character, neither of them
/// `/`. The segment `**` stands for any number of segments, including none; at the end of a pattern,
/// for at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`.
    Any,
    /// One segment.
    Name(Vec<Element>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    /// `*`.
    Run,
    /// `?`.
    One,
    /// The character itself.
    Char(char),
}

/// A path, divided for the comparison with patterns.
pub(super) struct DividedPath(Vec<Vec<char>>);

impl DividedPath {
    pub(super) fn new(path: &str) -> Self {
        let relative = path.strip_prefix('/').unwrap_or(path);
        Self(
            relative
                .split('/')
                .map(|name| name.chars().collect())
                .collect(),
        )
    }
}

impl PathPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// A phrase that begins with "must" and says what is expected. No path could match such a
    /// pattern, or it has the syntax of another program.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some(relative) = text.strip_prefix('/') else {
            return Err(
                "must begin with \"/\", such as \"/in/*.csv\", or \"/**/*.csv\" for every folder"
                    .to_owned(),
            );
        };
        if text.chars().any(char::is_control) {
            return Err("must not have control characters".to_owned());
        }
        if let Some(special) = text.chars().find(|c| UNSUPPORTED.contains(c)) {
            return Err(format!(
                "must not have \"{special}\": only *, ** and ? are special, and ? matches any one character"
            ));
        }
        if relative.ends_with('/') {
            return Err(
                "must not end with \"/\": \"/in/**\" matches everything below /in".to_owned(),
            );
        }
        let mut segments = relative
            .split('/')
            .map(Segment::parse)
            .collect::<Result<Vec<_>, _>>()?;
        // A path below a folder has at least one segment more.
        if segments.last() == Some(&Segment::Any) {
            segments.push(Segment::Name(vec![Element::Run]));
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, path: &DividedPath) -> bool {
        let is_any = |segment: &Segment| *segment == Segment::Any;
        wildcard::matches(&self.segments, &path.0, is_any, |segment, name| {
            segment.matches(name)
        })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("must have a name between two slashes and at the end".to_owned()),
            "." | ".." => Err("must not have a segment \".\" or \"..\"".to_owned()),
            "**" => Ok(Self::Any),
            _ if text.contains("**") => {
                Err("must have \"**\" only between slashes, such as \"/in/**/*.csv\"".to_owned())
            }
            _ => Ok(Self::Name(text.chars().map(Element::of).collect())),
        }
    }

    fn matches(&self, name: &[char]) -> bool {
        let Self::Name(elements) = self else {
            return false;
        };
        let is_run = |element: &Element| *element == Element::Run;
        wildcard::matches(elements, name, is_run, |element, c| match element {
            Element::Char(expected) => expected == c,
            Element::One | Element::Run => true,
        })
    }
}

impl Element {
    const fn of(c: char) -> Self {
        match c {
            '*' => Self::Run,
            '?' => Self::One,
            c => Self::Char(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(pattern: &str, path: &str) -> bool {
        let pattern = PathPattern::parse(pattern).expect(pattern);
        pattern.matches(&DividedPath::new(path))
    }

    #[test]
    fn patterns_match_as_documented() {
        for (pattern, matching, others) in [
            (
                "/in/*.csv",
                &["/in/a.csv", "/in/.csv", "/in/a.b.csv"][..],
                &[
                    "/in/a.CSV",
                    "/in/x/a.csv",
                    "/a.csv",
                    "/in/a.csv.gz",
                    "/x/in/a.csv",
                ][..],
            ),
            (
                "/in/**/*.csv",
                &["/in/a.csv", "/in/x/a.csv", "/in/x/y/z/a.csv"],
                &["/in/x/a.txt", "/a.csv", "/inx/a.csv"],
            ),
            ("/in/**", &["/in/a", "/in/x/y"], &["/in", "/inside/a"]),
            ("/**", &["/a", "/a/b/c"], &[]),
            (
                "/**/2026/**/done/*",
                &["/2026/done/a", "/x/2026/y/z/done/a", "/2026/done/done/a"],
                &["/2026/done", "/2026/x/a", "/x/done/a"],
            ),
            (
                "/in/?.csv",
                &["/in/a.csv", "/in/é.csv", "/in/日.csv"],
                &["/in/.csv", "/in/ab.csv"],
            ),
            ("/in/?*", &["/in/a", "/in/ab"], &["/in/a/b"]),
            ("/a*b*c", &["/abc", "/axbxc", "/abbc"], &["/ab/c", "/acb"]),
            ("/exact", &["/exact"], &["/exact/a", "/Exact", "/exac"]),
        ] {
            for path in matching {
                assert!(is_match(pattern, path), "{pattern} matches {path}");
            }
            for path in others {
                assert!(!is_match(pattern, path), "{pattern} does not match {path}");
            }
        }
    }

    #[test]
    fn parse_rejects_patterns_that_match_nothing_or_belong_to_other_programs() {
        for (pattern, reason) in [
            ("", "must begin with \"/\""),
            ("*.csv", "\"/**/*.csv\" for every folder"),
            ("/", "must have a name"),
            ("/in/", "\"/in/**\" matches everything below /in"),
            ("/a//b", "must have a name between two slashes"),
            ("/a/../b", "must not have a segment"),
            ("/a**/b", "only between slashes"),
            ("/a/***", "only between slashes"),
            ("/in/{a,b}.csv", "must not have \"{\""),
            ("/in/[ab].csv", "must not have \"[\""),
            ("/in/a\\*", "must not have \"\\\""),
            ("/in/\n", "control characters"),
        ] {
            let detail = PathPattern::parse(pattern).expect_err(pattern);
            assert!(detail.contains(reason), "{pattern}: {detail}");
        }
    }
}
