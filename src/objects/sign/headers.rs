//! Signed headers in their canonical form.
//!
//! `host` is always signed, at its position in the order of names; the other headers are those of
//! the request.

use std::borrow::Cow;

use super::error::Error;

type Headers<'a> = [(&'a str, Cow<'a, str>)];

/// The headers of a request, split where `host` belongs.
pub(super) struct SignedHeaders<'h> {
    before: &'h Headers<'h>,
    after: &'h Headers<'h>,
}

impl<'h> SignedHeaders<'h> {
    /// The headers must be sorted by name, without duplicates.
    pub(super) fn new(headers: &'h Headers<'h>) -> Self {
        debug_assert!(
            headers.is_sorted_by(|left, right| left.0 < right.0),
            "signed headers must be sorted by name, each once"
        );
        let place = headers.partition_point(|(name, _)| *name < "host");
        let (before, after) = headers.split_at_checked(place).unwrap_or((headers, &[]));
        Self { before, after }
    }

    /// Appends the names, including `host`, separated by `separator`.
    pub(super) fn push_names(&self, out: &mut String, separator: &str) {
        for (name, _) in self.before {
            out.push_str(name);
            out.push_str(separator);
        }
        out.push_str("host");
        for (name, _) in self.after {
            out.push_str(separator);
            out.push_str(name);
        }
    }

    /// Appends a line `name:value` for each header, including `host`.
    ///
    /// # Errors
    /// A value has a control character, which could end the line and start another header.
    pub(super) fn push_canonical(&self, out: &mut String, host: &str) -> Result<(), Error> {
        for (name, value) in self.before {
            push_line(out, name, value)?;
        }
        push_line(out, "host", host)?;
        for (name, value) in self.after {
            push_line(out, name, value)?;
        }
        Ok(())
    }
}

fn push_line(out: &mut String, name: &str, value: &str) -> Result<(), Error> {
    out.push_str(name);
    out.push(':');
    // No early exit, so that the compiler can vectorize the loop.
    let (control, space) = value
        .bytes()
        .fold((false, false), |(control, space), byte| {
            (control | byte.is_ascii_control(), space | (byte == b' '))
        });
    if control {
        return Err(Error::HeaderValue(name.to_owned()));
    }
    if space {
        push_trimmed(out, value);
    } else {
        out.push_str(value);
    }
    out.push('\n');
    Ok(())
}

/// Appends a value without leading and trailing spaces, and with single spaces instead of runs
/// (`Trim()` in "Create a signed AWS API request"). This applies only to spaces: S3 keeps other
/// whitespace.
fn push_trimmed(out: &mut String, value: &str) {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        out.push_str(first);
    }
    for word in words {
        out.push(' ');
        out.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::SignedHeaders;

    #[test]
    fn host_is_sorted_in_and_values_are_trimmed() {
        let headers = [
            ("content-type", Cow::from("  text/csv;   charset=utf-8 ")),
            ("if-none-match", Cow::from("*")),
        ];
        let mut names = String::new();
        let headers = SignedHeaders::new(&headers);
        headers.push_names(&mut names, ";");
        assert_eq!(names, "content-type;host;if-none-match");

        let mut lines = String::new();
        headers.push_canonical(&mut lines, "h.example").unwrap();
        assert_eq!(
            lines,
            "content-type:text/csv; charset=utf-8\nhost:h.example\nif-none-match:*\n"
        );
    }

    #[test]
    fn push_canonical_rejects_control_characters() {
        for value in ["a\r\nx-amz-acl:public-read", "a\nb", "\0", "\t", "\x7f"] {
            let headers = [("cache-control", value.into())];
            let error = SignedHeaders::new(&headers).push_canonical(&mut String::new(), "h");
            assert_eq!(
                error.unwrap_err().to_string(),
                "header cache-control has a control character in its value",
                "for {value:?}"
            );
        }
    }
}
