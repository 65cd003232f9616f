//! Validation of the fields of a request. Every fault is collected with the JSON pointer of its
//! field, so that the caller sees all of them at once.

use std::collections::BTreeMap;

use crate::domain::checksum::{Algorithm, Checksum, InvalidChecksum, UnknownAlgorithm};
use crate::domain::headers::ObjectHeaders;
use crate::domain::refusal::{FieldError, Refusal};

/// The limit of user metadata: the sum of all keys and values, in bytes.
const METADATA_BYTES: usize = 2_048;
/// The longest name, in bytes.
const NAME_BYTES: usize = 1_024;
/// The longest comments, in bytes.
const COMMENTS_BYTES: usize = 8_192;
const ALGORITHMS: &str = "expected one of SHA256, SHA1, CRC32, CRC32C, CRC64NVME";
/// The number of faults that are reported: of 10,000 wrong parts, a few are enough.
const MAX_FAULTS: usize = 100;
/// The longest header value, in bytes.
const HEADER_BYTES: usize = 1_024;

/// The faults that were found so far.
#[derive(Default)]
pub(in crate::usecases) struct Faults(Vec<FieldError>);

impl Faults {
    pub(in crate::usecases) fn add(&mut self, pointer: &str, detail: impl Into<String>) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(FieldError::new(pointer, detail));
        }
    }

    /// Returns all faults as one refusal, if there are any.
    pub(in crate::usecases) fn into_result(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Refusal::invalid(self.0))
        }
    }

    pub(in crate::usecases) fn name(&mut self, name: &str) {
        if name.is_empty() || name.len() > NAME_BYTES || name.chars().any(char::is_control) {
            self.add(
                "/name",
                format!("expected 1 to {NAME_BYTES} bytes without control characters"),
            );
        }
    }

    pub(in crate::usecases) fn comments(&mut self, comments: &str) {
        if comments.len() > COMMENTS_BYTES {
            self.add(
                "/comments",
                format!("expected at most {COMMENTS_BYTES} bytes"),
            );
        }
        if comments.contains('\0') {
            self.add(
                "/comments",
                "contains a NUL character, which Postgres cannot store",
            );
        }
    }

    pub(in crate::usecases) fn metadata(&mut self, metadata: &BTreeMap<String, String>) {
        let bytes: usize = metadata
            .iter()
            .map(|(key, value)| key.len() + value.len())
            .sum();
        if bytes > METADATA_BYTES {
            self.add(
                "/metadata",
                format!(
                    "expected at most {METADATA_BYTES} bytes of keys and values, found {bytes}"
                ),
            );
        }
        let texts = metadata.iter().flat_map(|(key, value)| [key, value]);
        if metadata.contains_key("") || texts.into_iter().any(|text| text.contains('\0')) {
            self.add("/metadata", "contains an empty key or a NUL character");
        }
    }

    /// Validates a media type: `type/subtype` with parameters (RFC 9110, section 8.3.1).
    pub(in crate::usecases) fn content_type(&mut self, content_type: &str) {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let is_token = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
        };
        let is_media_type = essence
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
        if !is_media_type || !is_header_value(content_type) {
            self.add("/content_type", "expected a media type such as text/csv");
        }
    }

    /// Parses the checksum of a whole object.
    pub(in crate::usecases) fn checksum(
        &mut self,
        algorithm: &str,
        value: &str,
    ) -> Option<Checksum> {
        self.parsed(checksum(algorithm, value, Checksum::new))
    }

    /// Parses the checksum of a whole object, or a composite checksum.
    pub(in crate::usecases) fn any_checksum(
        &mut self,
        algorithm: &str,
        value: &str,
    ) -> Option<Checksum> {
        self.parsed(checksum(algorithm, value, Checksum::parse))
    }

    fn parsed(&mut self, checksum: Result<Checksum, (&str, String)>) -> Option<Checksum> {
        let fault = |(end, detail)| self.add(&format!("/checksum{end}"), detail);
        checksum.map_err(fault).ok()
    }

    /// Parses the name of a checksum algorithm.
    pub(in crate::usecases) fn algorithm(
        &mut self,
        pointer: &str,
        name: &str,
    ) -> Option<Algorithm> {
        (name.parse())
            .map_err(|UnknownAlgorithm| self.add(pointer, ALGORITHMS))
            .ok()
    }

    /// Validates an entity tag (RFC 9110, section 8.8.3), whose quotes may be missing, and returns
    /// it with quotes.
    pub(in crate::usecases) fn etag(&mut self, pointer: &str, etag: &str) -> String {
        let bare = etag.trim_matches('"');
        if bare.is_empty() || bare.contains('"') || !is_header_value(bare) || bare.starts_with("W/")
        {
            self.add(pointer, "expected a strong entity tag such as \"9b2cf5\"");
        }
        format!("\"{bare}\"")
    }

    /// Validates a requested lifetime against the longest one; both are in seconds.
    pub(in crate::usecases) fn lifetime(&mut self, seconds: u32, most: u32) {
        if !(1..=most).contains(&seconds) {
            self.add(
                "/expires_in",
                format!("expected 1 to {most} seconds, found {seconds}"),
            );
        }
    }

    pub(in crate::usecases) fn headers(&mut self, headers: &ObjectHeaders) {
        for (pointer, value) in [
            ("/content_encoding", &headers.content_encoding),
            ("/content_disposition", &headers.content_disposition),
            ("/content_language", &headers.content_language),
            ("/cache_control", &headers.cache_control),
        ] {
            if let Some(value) = value
                && !is_header_value(value)
            {
                self.add(
                    pointer,
                    format!("expected 1 to {HEADER_BYTES} visible ASCII characters and spaces"),
                );
            }
        }
        if let Some(class) = &headers.storage_class
            && (class.is_empty()
                || !class
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        {
            self.add(
                "/storage_class",
                "expected a storage class such as STANDARD_IA",
            );
        }
        self.tags(&headers.tags);
    }

    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
    fn tags(&mut self, tags: &BTreeMap<String, String>) {
        if tags.len() > 10 {
            self.add(
                "/tags",
                format!("expected at most 10 tags, found {}", tags.len()),
            );
        }
        let fits = |text: &str, most: usize| {
            text.chars().count() <= most
                && (text.chars()).all(|each| each.is_alphanumeric() || " +-=._:/@".contains(each))
        };
        if !(tags.iter()).all(|(key, value)| !key.is_empty() && fits(key, 128) && fits(value, 256))
        {
            self.add(
                "/tags",
                "expected keys of 1 to 128 and values of at most 256 characters: letters, digits, spaces and + - = . _ : / @",
            );
        }
        let is_reserved = |key: &String| {
            let start = key.get(..4);
            start.is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
        };
        if tags.keys().any(is_reserved) {
            self.add("/tags", "keys that begin with aws: are reserved for AWS");
        }
    }
}

/// Parses a checksum. An error names the wrong member as a JSON pointer, and says what is wrong
/// with it.
pub(in crate::usecases) fn checksum(
    algorithm: &str,
    value: &str,
    parse: impl Fn(Algorithm, &str) -> Result<Checksum, InvalidChecksum>,
) -> Result<Checksum, (&'static str, String)> {
    let algorithm =
        (algorithm.parse()).map_err(|UnknownAlgorithm| ("/algorithm", ALGORITHMS.to_owned()))?;
    parse(algorithm, value).map_err(|invalid| ("/value", invalid.to_string()))
}

/// Whether a value is transmitted unchanged in a header, and has only one form for a signature.
fn is_header_value(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= HEADER_BYTES
        && value.trim() == value
        && !value.contains("  ")
        && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}
