//! Content types and ranges of them: `text/csv`, `image/*`.

use std::fmt;

/// A content type, or all subtypes of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRange {
    /// In lower case.
    kind: String,
    /// In lower case; `None` for `*`.
    subtype: Option<String>,
}

impl MediaRange {
    /// Parses `type/subtype` or `type/*`, without parameters.
    ///
    /// # Errors
    /// A phrase that begins with "must" and says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        match parts {
            Some((kind, subtype)) if is_name(kind) && (subtype == "*" || is_name(subtype)) => {
                Ok(Self {
                    kind: kind.to_ascii_lowercase(),
                    subtype: (subtype != "*").then(|| subtype.to_ascii_lowercase()),
                })
            }
            Some(("*", "*")) => Err(
                "must name a type; without `content_types`, the rule matches \
                                     every content type"
                    .to_owned(),
            ),
            _ => Err(
                "must be a content type without parameters, such as \"text/csv\" or \"image/*\""
                    .to_owned(),
            ),
        }
    }

    /// Whether the content type is in this range. Its case and its parameters (`; charset=utf-8`)
    /// are ignored (RFC 9110, section 8.3.1).
    pub fn contains(&self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let Some((kind, subtype)) = essence.split_once('/') else {
            return false;
        };
        let expected = self.subtype.as_ref();
        self.kind.eq_ignore_ascii_case(kind)
            && expected.is_none_or(|expected| expected.eq_ignore_ascii_case(subtype))
    }
}

impl fmt::Display for MediaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subtype = self.subtype.as_deref().unwrap_or("*");
        write!(f, "{}/{subtype}", self.kind)
    }
}

/// Whether the text is a restricted name of RFC 6838, section 4.2.
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    (1..=127).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_type_matches_whatever_its_case_and_parameters() {
        let exact = MediaRange::parse("Text/CSV").expect("a content type");
        assert_eq!(exact.to_string(), "text/csv");
        for content_type in [
            "text/csv",
            "TEXT/csv; charset=utf-8",
            " text/csv ;header=present",
        ] {
            assert!(exact.contains(content_type), "{content_type}");
        }
        for other in ["text/csv2", "text/plain", "text", "", "application/csv"] {
            assert!(!exact.contains(other), "{other}");
        }
        let range = MediaRange::parse("image/*").expect("a range");
        assert!(range.contains("image/png") && range.contains("Image/SVG+xml"));
        assert!(!range.contains("imagex/png") && !range.contains("image"));
    }

    #[test]
    fn parse_rejects_what_is_no_content_type() {
        for text in [
            "",
            "csv",
            "text/",
            "/csv",
            "*/*",
            "*/csv",
            "text/csv; a=b",
            "text/c*",
        ] {
            assert!(MediaRange::parse(text).is_err(), "{text}");
        }
    }
}
