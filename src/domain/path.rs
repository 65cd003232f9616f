//! Dataset paths: `/data/employees.csv`.

use std::fmt;

/// The longest S3 key in bytes of UTF-8.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub const MAX_KEY_BYTES: usize = 1024;

/// The path of one dataset, with a leading `/`; the rest is the S3 key under the tenant's prefix.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatasetPath(String);

/// Why a path was refused. Each says what would be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidPath {
    /// Nothing after the leading slash.
    Empty,
    /// A segment between two slashes, or after the last, is empty.
    EmptySegment,
    /// A segment is `.` or `..`.
    DotSegment,
    /// A control character (C0, DEL, C1).
    ControlCharacter,
    /// The S3 key would be over 1,024 bytes.
    TooLong,
    /// The next-to-last segment is `action`, which the routes need.
    ReservedSegment,
    /// The path lies under the key prefix of another tenant.
    OtherTenant,
    /// The path lies outside of the folder that the credential is confined to.
    OutsidePrefix,
}

impl InvalidPath {
    /// Whether the path reaches for what is not its caller's, and is not just misspelled.
    pub const fn is_escape_attempt(self) -> bool {
        matches!(
            self,
            Self::DotSegment | Self::OtherTenant | Self::OutsidePrefix
        )
    }
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty; expected something like /data/employees.csv",
            Self::EmptySegment => {
                "has an empty segment; put something between two slashes, and no slash at the end"
            }
            Self::DotSegment => "has a segment . or ..; write the path out",
            Self::ControlCharacter => "has a control character",
            Self::TooLong => "makes an S3 key of over 1,024 bytes",
            Self::ReservedSegment => "has the next-to-last segment `action`, which is reserved",
            Self::OtherTenant => "lies under a key prefix that is reserved",
            Self::OutsidePrefix => "lies outside of the path prefix of this credential",
        })
    }
}

/// The folders that a key lies in, each with its slash at the end: `a/` and `a/b/` of `a/b/c.csv`.
pub fn parent_folders(key: &str) -> impl Iterator<Item = &str> {
    (key.match_indices('/')).filter_map(|(at, _)| key.get(..=at))
}

impl DatasetPath {
    /// Takes a path with or without the leading slash.
    pub fn parse(input: &str) -> Result<Self, InvalidPath> {
        let key = input.strip_prefix('/').unwrap_or(input);
        if key.is_empty() {
            return Err(InvalidPath::Empty);
        }
        if key.len() > MAX_KEY_BYTES {
            return Err(InvalidPath::TooLong);
        }
        check_segments(key)?;
        if key.rsplit('/').nth(1) == Some("action") {
            return Err(InvalidPath::ReservedSegment);
        }
        Ok(Self(format!("/{key}")))
    }

    /// A path that came out of our own rows or of a listing, where the rules above need not hold.
    pub fn from_stored(path: String) -> Self {
        Self(path)
    }

    /// The path with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without its leading slash.
    pub fn relative(&self) -> &str {
        self.0.strip_prefix('/').unwrap_or(&self.0)
    }

    /// The last segment, without its last extension: the default name of a dataset.
    pub fn file_stem(&self) -> &str {
        let file = self.0.rsplit('/').next().unwrap_or(&self.0);
        match file.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => file,
        }
    }
}

/// Holds what stands between slashes against the rules.
pub(super) fn check_segments(key: &str) -> Result<(), InvalidPath> {
    if key.chars().any(char::is_control) {
        return Err(InvalidPath::ControlCharacter);
    }
    for segment in key.split('/') {
        match segment {
            "" => return Err(InvalidPath::EmptySegment),
            "." | ".." => return Err(InvalidPath::DotSegment),
            _ => {}
        }
    }
    Ok(())
}

impl fmt::Display for DatasetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_slash_is_optional() {
        assert_eq!(
            DatasetPath::parse("/a/b.csv"),
            DatasetPath::parse("a/b.csv")
        );
    }

    #[test]
    fn each_rule_refuses() {
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        for (input, reason) in [
            ("", InvalidPath::Empty),
            ("/", InvalidPath::Empty),
            ("//a", InvalidPath::EmptySegment),
            ("/a//b", InvalidPath::EmptySegment),
            ("/a/", InvalidPath::EmptySegment),
            ("/a/../b", InvalidPath::DotSegment),
            ("./a", InvalidPath::DotSegment),
            ("/a\0b", InvalidPath::ControlCharacter),
            ("/a\u{85}b", InvalidPath::ControlCharacter),
            ("/a/action/b", InvalidPath::ReservedSegment),
            (&long, InvalidPath::TooLong),
        ] {
            assert_eq!(DatasetPath::parse(input), Err(reason), "{input:?}");
        }
        for input in [
            "/action",
            "/action/a/b",
            "/a/action",
            "/...",
            "/a b+%C3%A9é",
        ] {
            assert!(DatasetPath::parse(input).is_ok(), "{input:?}");
        }
    }

    #[test]
    fn the_default_name_is_the_stem() {
        for (input, stem) in [
            ("/data/employees.csv", "employees"),
            ("/a.tar.gz", "a.tar"),
            ("/.bashrc", ".bashrc"),
            ("/plain", "plain"),
        ] {
            assert_eq!(DatasetPath::parse(input).unwrap().file_stem(), stem);
        }
    }
}
