//! Glob patterns for paths.
//!
//! `*` stands for any characters but a slash, `**` for any at all, `**/` for any number of folders,
//! `?` for one character but a slash, `[a-z]` and `[!a-z]` for one of a set; `\` takes the meaning
//! from the next character.

use std::str::{Chars, FromStr};

/// A pattern.
#[derive(Clone, Debug)]
pub struct Glob {
    tokens: Vec<Token>,
    /// Whether it is compared with whole paths, and not with single names.
    is_path: bool,
}

#[derive(Clone, Debug)]
enum Token {
    Char(char),
    /// One character but a slash.
    One,
    /// One of these, or one that is none of these.
    Set(bool, Vec<(char, char)>),
    /// Any but slashes.
    Star,
    /// Any.
    Deep,
    /// Any folders: where they begin, and within them.
    FoldersBegin,
    FoldersInside,
}

impl Glob {
    /// Whether the pattern matches a path, or a folder that it is in. A pattern without a slash is
    /// compared with each name in the path, any other with the path from its beginning.
    pub fn matches(&self, path: &str) -> bool {
        if !self.is_path {
            return path.split('/').any(|name| self.matches_whole(name));
        }
        let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        self.matches_whole(path) || folders.into_iter().any(|folder| self.matches_whole(folder))
    }

    fn matches_whole(&self, text: &str) -> bool {
        let mut states = vec![false; self.tokens.len().saturating_add(1)];
        self.enter(&mut states, 0);
        for c in text.chars() {
            let mut next = vec![false; states.len()];
            let current = self.tokens.iter().zip(&states).enumerate();
            for (at, (token, _)) in current.filter(|(_, (_, active))| **active) {
                for ahead in token.take(c).into_iter().flatten() {
                    self.enter(&mut next, at.saturating_add(ahead));
                }
            }
            states = next;
        }
        states.last() == Some(&true)
    }

    /// Activates a state, and those that are reached from it without a character.
    fn enter(&self, states: &mut [bool], at: usize) {
        let Some(state) = states.get_mut(at) else {
            return;
        };
        if std::mem::replace(state, true) {
            return;
        }
        match self.tokens.get(at) {
            Some(Token::Star | Token::Deep) => self.enter(states, at.saturating_add(1)),
            Some(Token::FoldersBegin) => self.enter(states, at.saturating_add(2)),
            _ => {}
        }
    }
}

impl Token {
    /// How many states ahead a character leads; none where it does not fit.
    fn take(&self, c: char) -> [Option<usize>; 2] {
        let fits = |fits: bool| [fits.then_some(1), None];
        match self {
            Self::Char(own) => fits(*own == c),
            Self::One => fits(c != '/'),
            Self::Set(negated, ranges) => {
                let is_in = ranges
                    .iter()
                    .any(|(first, last)| (first..=last).contains(&&c));
                fits(c != '/' && is_in != *negated)
            }
            Self::Star => [(c != '/').then_some(0), None],
            Self::Deep => [Some(0), None],
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
            return Err("an empty pattern matches nothing".to_owned());
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
                    tokens.push(Token::Deep);
                }
                '*' => tokens.push(Token::Star),
                '?' => tokens.push(Token::One),
                '[' => tokens.push(set(&mut rest)?),
                '\\' => {
                    let escaped = rest
                        .next()
                        .ok_or("a backslash at the end escapes nothing")?;
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

/// A set, from behind its opening bracket.
fn set(rest: &mut Chars<'_>) -> Result<Token, String> {
    let unclosed = || "a set has no closing bracket".to_owned();
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
    fn patterns_match_what_their_readers_expect() {
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
    fn a_pattern_that_is_none_is_refused() {
        for pattern in ["", "/", "[", "[]", "[a-", "a\\"] {
            assert!(pattern.parse::<Glob>().is_err(), "{pattern:?}");
        }
    }

    /// Many stars take no longer than few.
    #[test]
    fn a_pattern_of_stars_is_compared_in_no_time() {
        let glob: Glob = "*a".repeat(30).parse().expect("a pattern");
        assert!(!glob.matches(&"a".repeat(29)));
        assert!(glob.matches(&"a".repeat(200)));
    }
}
