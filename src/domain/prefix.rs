//! The folder that a credential may be confined to.

use std::fmt;
use std::sync::Arc;

use super::path::{InvalidPath, MAX_KEY_BYTES, check_segments};

/// A folder inside the jail of a tenant, such as `/in/`.
///
/// It contains `/in/a.csv` and not `/inbox/a.csv`: a prefix that ends within a name would include
/// neighbouring folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPrefix(Arc<str>);

impl PathPrefix {
    /// Parses a folder with or without its leading and trailing slashes. `Ok(None)` stands for the
    /// root, which is `/` or the empty string.
    ///
    /// # Errors
    /// The folder breaks one of the rules for paths.
    pub fn parse(input: &str) -> Result<Option<Self>, InvalidPath> {
        let inner = input.strip_prefix('/').unwrap_or(input);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if inner.is_empty() {
            return match input {
                "" | "/" => Ok(None),
                _ => Err(InvalidPath::EmptySegment),
            };
        }
        if inner.len() >= MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        check_segments(inner)?;
        Ok(Some(Self(format!("/{inner}/").into())))
    }

    /// The folder, with a slash at both ends.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `path`, which has a leading slash, is in the folder.
    pub fn contains(&self, path: &str) -> bool {
        path.starts_with(&*self.0)
    }

    /// The common prefix of all paths that start with `start` and are in the folder. `None` if
    /// there can be no such path.
    pub fn intersect<'a>(&'a self, start: &'a str) -> Option<&'a str> {
        if self.contains(start) {
            Some(start)
        } else {
            self.0.starts_with(start).then_some(&*self.0)
        }
    }

    /// The first folder below `start` on the way to this folder. `None` if `start` is not above
    /// this folder.
    pub fn next_folder(&self, start: &str) -> Option<&str> {
        let rest = self.0.strip_prefix(start)?;
        let length = start.len() + rest.find('/')? + 1;
        self.0.get(..length)
    }
}

impl fmt::Display for PathPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(input: &str) -> PathPrefix {
        PathPrefix::parse(input).unwrap().unwrap()
    }

    #[test]
    fn slashes_are_optional_and_neighbours_are_excluded() {
        for input in ["/in/", "in", "/in", "in/"] {
            let prefix = prefix(input);
            assert_eq!(prefix.as_str(), "/in/");
            assert!(prefix.contains("/in/a") && prefix.contains("/in/deep/a"));
            for out in ["/inbox/a", "/in", "/a/in/b", "/In/a", "/", ""] {
                assert!(!prefix.contains(out), "{out}");
            }
        }
        assert_eq!(PathPrefix::parse(""), Ok(None));
        assert_eq!(PathPrefix::parse("/"), Ok(None));
    }

    #[test]
    fn parse_rejects_invalid_folders() {
        let long = "x".repeat(MAX_KEY_BYTES);
        for (input, reason) in [
            ("//", InvalidPath::EmptySegment),
            ("/a//b/", InvalidPath::EmptySegment),
            ("//a/", InvalidPath::EmptySegment),
            ("/../", InvalidPath::DotSegment),
            ("a/./b", InvalidPath::DotSegment),
            ("/a\0/", InvalidPath::ControlCharacter),
            (&long, InvalidPath::TooLong),
        ] {
            assert_eq!(PathPrefix::parse(input), Err(reason), "{input:?}");
        }
    }

    #[test]
    fn listing_is_restricted_to_the_folder() {
        let prefix = prefix("/in/deep/");
        for (start, common, next) in [
            ("/", Some("/in/deep/"), Some("/in/")),
            ("/i", Some("/in/deep/"), Some("/in/")),
            ("/in/", Some("/in/deep/"), Some("/in/deep/")),
            ("/in/deep/", Some("/in/deep/"), None),
            ("/in/deep/a", Some("/in/deep/a"), None),
            ("/in/deeper", None, None),
            ("/out/", None, None),
        ] {
            assert_eq!(prefix.intersect(start), common, "{start}");
            assert_eq!(prefix.next_folder(start), next, "{start}");
        }
    }
}
