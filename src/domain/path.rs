//! Dataset paths: `/data/employees.csv`.

use std::fmt;

/// The maximum length of an S3 key, in bytes of UTF-8.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub const MAX_KEY_BYTES: usize = 1024;

/// The folder of a bucket in which the broker tests what the store supports. No dataset is in it.
pub const PROBE_FOLDER: &str = ".upload-broker-doctor/";

/// The path of a dataset. It starts with `/`; the rest, appended to the key prefix of the tenant,
/// is the S3 key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DatasetPath(String);

/// Why a path was refused. The text is sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidPath {
    /// There is nothing after the leading slash.
    Empty,
    /// A segment between two slashes or after the last slash is empty.
    EmptySegment,
    /// A segment is `.` or `..`.
    DotSegment,
    /// The path has a control character (C0, DEL, C1).
    ControlCharacter,
    /// The S3 key would be longer than 1,024 bytes.
    TooLong,
    /// The next-to-last segment is `action`, which the HTTP routes use.
    ReservedSegment,
    /// The path is under the key prefix of another tenant, or under [`PROBE_FOLDER`].
    ReservedPrefix,
    /// The path is outside the folder that the credential is confined to.
    OutsidePrefix,
}

impl InvalidPath {
    /// Whether the path tries to reach what does not belong to the caller, as opposed to being
    /// malformed.
    pub const fn is_escape_attempt(self) -> bool {
        matches!(
            self,
            Self::DotSegment | Self::ReservedPrefix | Self::OutsidePrefix
        )
    }
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "is empty; expected a path such as /data/employees.csv",
            Self::EmptySegment => {
                "has an empty segment; remove repeated slashes and the slash at the end"
            }
            Self::DotSegment => "has a segment `.` or `..`; write the resolved path",
            Self::ControlCharacter => "has a control character",
            Self::TooLong => "makes the S3 key longer than 1,024 bytes",
            Self::ReservedSegment => "has the reserved word `action` as its next-to-last segment",
            Self::ReservedPrefix => "is under a reserved key prefix",
            Self::OutsidePrefix => "is outside the path prefix of this credential",
        })
    }
}

/// The folders that contain a key, each with its trailing slash: `a/` and `a/b/` for `a/b/c.csv`.
pub fn parent_folders(key: &str) -> impl Iterator<Item = &str> {
    (key.match_indices('/')).filter_map(|(at, _)| key.get(..=at))
}

impl DatasetPath {
    /// Parses a path from a client, with or without the leading slash.
    ///
    /// # Errors
    /// The path breaks one of the rules of [`InvalidPath`]. The rules that depend on the caller are
    /// checked by [`Jail::key`](super::jail::Jail::key).
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

    /// Wraps a path from the database or from a listing, which need not follow the rules of
    /// [`parse`](Self::parse).
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

    /// The last segment without its last extension, which is the default name of a dataset.
    pub fn file_stem(&self) -> &str {
        let file = self.0.rsplit('/').next().unwrap_or(&self.0);
        match file.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => file,
        }
    }
}

/// Checks the segments between slashes.
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
    fn leading_slash_is_optional() {
        assert_eq!(
            DatasetPath::parse("/a/b.csv"),
            DatasetPath::parse("a/b.csv")
        );
    }

    #[test]
    fn parse_rejects_paths_that_break_a_rule() {
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
    fn default_name_is_file_stem() {
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
