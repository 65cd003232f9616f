//! Glob patterns for paths.
//!
//! `*` matches any characters except a slash, `**` any characters, `**/` any number of folders, `?`
//! one character except a slash, `[a-z]` and `[!a-z]` one character of a set; `\` escapes the next
//! character.

use std::str::{Chars, FromStr};

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    tokens: Vec<Token>,
    /// Whether the pattern is compared with whole paths instead of single names.
    is_path: bool,
}

#[derive(Clone, Debug)]
enum Token {
    Char(char),
    /// One character except a slash.
    AnyChar,
    /// One character of these ranges; or, if `true`, one of none of them.
    Set(bool, Vec<(char, char)>),
    /// Any number of characters except slashes.
    Star,
    /// Any number of any characters.
    DoubleStar,
    /// Any number of folders: the state before the first one, and the state within them.
    FoldersBegin,
    FoldersInside,
}

impl Glob {
    /// Whether the pattern matches the path or one of its parent folders. A pattern without a slash
    /// is compared with every name in the path, any other pattern with the path from its start.
    pub fn matches(&self, path: &str) -> bool {
        if !self.is_path {
            return path.split('/').any(|name| self.matches_whole(name));
        }
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        self.matches_whole(path) || folders.into_iter().any(|folder| self.matches_whole(folder))
    }

    fn matches_whole(&self, text: &str) -> bool {
        let mut states = vec![false; self.tokens.len().saturating_add(1)];
        self.activate(&mut states, 0);
        for c in text.chars() {
            let mut next = vec![false; states.len()];
            let current = self.tokens.iter().zip(&states).enumerate();
            for (at, (token, _)) in current.filter(|(_, (_, active))| **active) {
                for ahead in token.advance(c).into_iter().flatten() {
                    self.activate(&mut next, at.saturating_add(ahead));
                }
            }
            states = next;
        }
        states.last() == Some(&true)
    }

    /// Activates a state, and all states that are reachable from it without consuming a character.
    fn activate(&self, states: &mut [bool], at: usize) {
        let Some(state) = states.get_mut(at) else {
            return;
        };
        if std::mem::replace(state, true) {
            return;
        }
        match self.tokens.get(at) {
            Some(Token::Star | Token::DoubleStar) => self.activate(states, at.saturating_add(1)),
            Some(Token::FoldersBegin) => self.activate(states, at.saturating_add(2)),
            _ => {}
        }
    }
}

impl Token {
    /// By how many states each transition on this character advances; empty if there is none.
    fn advance(&self, c: char) -> [Option<usize>; 2] {
        let fits = |fits: bool| [fits.then_some(1), None];
        match self {
            Self::Char(own) => fits(*own == c),
            Self::AnyChar => fits(c != '/'),
            Self::Set(negated, ranges) => {
                let is_in = ranges
                    .iter()
                    .any(|(first, last)| (first..=last).contains(&&c));
                fits(c != '/' && is_in != *negated)
            }
            Self::Star => [(c != '/').then_some(0), None],
            Self::DoubleStar => [Some(0), None],
            Self::FoldersBegin => [Some(1), (c == '/').then_some(2)],
            Self::FoldersInside => [Some(0), (c == '/').then_some(1)],
        }
    }
}

impl FromStr for Glob {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rooted = text.strip_prefix('/').unwrap_or(text);
        let pattern = rooted.strip_suffix('/').unwrap_or(rooted);
        if pattern.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        let mut tokens = Vec::new();
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            match c {
                '*' if rest.as_str().starts_with("*/") => {
                    rest = skip(&rest, 2);
                    tokens.extend([Token::FoldersBegin, Token::FoldersInside]);
                }
                '*' if rest.as_str().starts_with('*') => {
                    rest = skip(&rest, 1);
                    tokens.push(Token::DoubleStar);
                }
                '*' => tokens.push(Token::Star),
                '?' => tokens.push(Token::AnyChar),
                '[' => tokens.push(parse_set(&mut rest)?),
                '\\' => {
                    let escaped = rest.next().ok_or("the pattern ends with a backslash")?;
                    tokens.push(Token::Char(escaped));
                }
                c => tokens.push(Token::Char(c)),
            }
        }
        Ok(Self {
            tokens,
            is_path: rooted.len() < text.len() || pattern.contains('/'),
        })
    }
}

fn skip<'a>(chars: &Chars<'a>, count: usize) -> Chars<'a> {
    let mut chars = chars.clone();
    for _ in 0..count {
        chars.next();
    }
    chars
}

/// Parses a set, after its opening bracket.
fn parse_set(rest: &mut Chars<'_>) -> Result<Token, String> {
    let unclosed = || "the pattern has a [ without a ]".to_owned();
    let negated = rest.as_str().starts_with(['!', '^']);
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        let first = match rest.next().ok_or_else(unclosed)? {
            ']' if !ranges.is_empty() => return Ok(Token::Set(negated, ranges)),
            '\\' => rest.next().ok_or_else(unclosed)?,
            c => c,
        };
        let is_range = rest.as_str().starts_with('-') && !rest.as_str().starts_with("-]");
        let last = match is_range {
            true => {
                rest.next();
                rest.next().ok_or_else(unclosed)?
            }
            false => first,
        };
        ranges.push((first, last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glob_matches_expected_paths() {
        for (pattern, matching, others) in [
            (
                "*.csv",
                &["a.csv", "x/a.csv", "a.csv/x"][..],
                &["a.csv2", "csv", "a/csv"][..],
            ),
            ("raw", &["raw", "raw/a/b", "x/raw/y"], &["raw2", "x/draw"]),
            ("/raw", &["raw", "raw/a"], &["x/raw"]),
            ("raw/", &["raw/a", "x/raw/a"], &["raws/a"]),
            (
                "a/*.csv",
                &["a/b.csv", "a/b.csv/c"],
                &["a/b/c.csv", "x/a/b.csv"],
            ),
            ("a/**", &["a/b", "a/b/c"], &["a", "b/a/c"]),
            ("a/**/z", &["a/z", "a/b/z", "a/b/c/z"], &["a/bz", "az"]),
            ("**/z.csv", &["z.csv", "a/b/z.csv"], &["a/xz.csv"]),
            (
                "?.[ct]sv",
                &["a.csv", "é.tsv"],
                &["ab.csv", "a.xsv", "/.csv"],
            ),
            ("[!a-c]?", &["d1", "-x"], &["a1", "c1", "d"]),
            (r"\*[]]", &["*]"], &["a]"]),
        ] {
            let glob: Glob = pattern.parse().expect(pattern);
            for path in matching {
                assert!(glob.matches(path), "{pattern} and {path}");
            }
            for path in others {
                assert!(!glob.matches(path), "{pattern} and {path}");
            }
        }
    }

    #[test]
    fn invalid_pattern_is_rejected() {
        for pattern in ["", "/", "[", "[]", "[a-", "a\\"] {
            assert!(pattern.parse::<Glob>().is_err(), "{pattern:?}");
        }
    }

    /// The matcher does not backtrack, so many stars take no longer than few.
    #[test]
    fn pattern_with_many_stars_is_matched_without_backtracking() {
        let glob: Glob = "*a".repeat(30).parse().expect("a pattern");
        assert!(!glob.matches(&"a".repeat(29)));
        assert!(glob.matches(&"a".repeat(200)));
    }
}
