//! What results of a processor are, and the names that distinguish the results of a job.

/// The largest number of bytes of the name of a result.
const MAX_NAME_BYTES: usize = 32;

/// A type of result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultType {
    /// What it is, such as `aggregate`.
    pub kind: &'static str,
    /// The extension of its file name, without a dot. A processor has one type for each extension.
    pub extension: &'static str,
    /// The media type.
    pub content_type: &'static str,
}

/// Whether `name` may be the name of a result: 1 to 32 of `a-z`, `0-9` and `-`, which begins and
/// ends with a letter or a digit. It becomes a part of the path of a dataset.
pub fn is_result_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(is_allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_names_are_restricted() {
        for good in ["small", "a", "1600px", "a-b", &"a".repeat(32)] {
            assert!(is_result_name(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a b",
            "a/b",
            "..",
            "ä",
            &"a".repeat(33),
        ] {
            assert!(!is_result_name(bad), "{bad}");
        }
    }
}
