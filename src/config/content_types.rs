//! The content types that uploads may have.

use super::parse::list;

/// A list of content types, in which `type/*` stands for all subtypes of a type. By default all
/// content types are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentTypes(Option<Vec<String>>);

impl ContentTypes {
    /// Parses a list such as `text/csv,image/*`.
    ///
    /// # Errors
    /// A phrase that says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        list(pattern)(text).map(|patterns| Self(Some(patterns)))
    }

    /// Whether an upload may have this content type. Case and parameters (`; charset=utf-8`) are
    /// ignored (RFC 9110, section 8.3.1).
    pub fn allows(&self, content_type: &str) -> bool {
        self.0
            .as_deref()
            .is_none_or(|patterns| matches(patterns, content_type))
    }

    /// The patterns in lower case; `None` if all content types are allowed.
    pub fn into_patterns(self) -> Option<Vec<String>> {
        self.0
    }

    /// The patterns in lower case, for a message; `None` if all content types are allowed.
    pub fn patterns(&self) -> Option<&[String]> {
        self.0.as_deref()
    }
}

/// Whether one of the lower-case patterns matches the content type, whose case and parameters are
/// ignored.
pub fn matches(patterns: &[String], content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => essence.starts_with(prefix),
            None => essence == *pattern,
        })
}

fn pattern(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some((kind, "*")) if is_token(kind) => Ok(text.to_ascii_lowercase()),
        Some((kind, sub)) if is_token(kind) && is_token(sub) => Ok(text.to_ascii_lowercase()),
        _ => Err(format!(
            "must be content types such as text/csv or image/*; {text:?} is not one"
        )),
    }
}

/// Whether the text is a restricted name of RFC 6838, section 4.2.
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    (1..=127).contains(&text.len()) && text.bytes().all(allowed)
}
