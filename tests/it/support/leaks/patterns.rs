//! Patterns of secrets that no log may contain.
//!
//! They are independent of the masking in the broker, so that a mistake there is not repeated here.

use regex::bytes::Regex;

/// A kind of secret.
pub struct SecretPattern {
    pub what: &'static str,
    pattern: &'static str,
    /// A line that the pattern matches.
    pub hit: &'static str,
    /// The same line with the secret masked.
    pub masked: &'static str,
}

/// The text that may separate a name from its value in headers, queries, JSON and Rust's debug format. In the
/// patterns, `~` represents it.
const BETWEEN: &str = r#"[\\"']*(?:=|:|%3D)+\s?(?:Some\()?[\\"']*"#;

/// Every kind of secret that has a recognisable format.
pub const PATTERNS: [SecretPattern; 13] = [
    SecretPattern {
        what: "an API key",
        pattern: "ubk_[0-9a-z_-]{8}",
        hit: "got ubk_aZ0_-aZ0_-aZ0_-, refused",
        masked: "got ***, refused",
    },
    SecretPattern {
        what: "an upload token",
        pattern: "ubt_[0-9a-z_-]{8}",
        hit: "POST /t/ubt_eyJ0ZW5hbnQi.c2lnbmF0dXJl/uploads",
        masked: "POST /t/***/uploads",
    },
    SecretPattern {
        what: "the secret of a webhook",
        pattern: "whsec_[0-9a-z+/]{8}",
        hit: "signed with whsec_MDEy+zQ1/jc4OTAxMjM0NTY3ODkwMTI=, sent",
        masked: "signed with ***, sent",
    },
    SecretPattern {
        what: "a JWT",
        pattern: r"(?-i:eyJ[0-9A-Za-z_-]+\.eyJ[0-9A-Za-z_-]*\.)",
        hit: "token eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln refused",
        masked: "token *** refused",
    },
    SecretPattern {
        what: "the signature of a URL",
        pattern: "x-amz-signature~[0-9a-f]{4}",
        hit: "GET /a?X-Amz-Date=1&X-Amz-Signature=0123456789abcdef",
        masked: "GET /a?X-Amz-Date=1&X-Amz-Signature=***",
    },
    SecretPattern {
        what: "the credential of a URL",
        pattern: "x-amz-credential~[0-9a-z]{2}",
        hit: "GET /a?X-Amz-Credential=AKIAEXAMPLE%2F20250301",
        masked: "GET /a?X-Amz-Credential=***&X-Amz-SignedHeaders=host",
    },
    SecretPattern {
        what: "a session token",
        pattern: "(?:x-amz-security-token|session_?token)~[0-9a-z+/][0-9a-z+/%]{7}",
        hit: r#"session_token: Some("IQoJb3JpZ2luX2VjEJr")"#,
        masked: r#"session_token: Some("***")"#,
    },
    SecretPattern {
        what: "a signature",
        pattern: r"\bsignature~[0-9a-f]{16}",
        hit: "SignedHeaders=host, Signature=0123456789abcdef0123",
        masked: "SignedHeaders=host, Signature=***",
    },
    SecretPattern {
        what: "a bearer's credential",
        pattern: "bearer(?: |%20)[0-9a-z._+/-]{8}",
        hit: "authorization: Bearer 0123456789abcdef",
        masked: "authorization: *** ***",
    },
    SecretPattern {
        what: "the header of a signed request",
        pattern: "aws4-hmac-sha256[, ]+credential~[0-9a-z]{2}",
        hit: "authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20250301",
        masked: "authorization: *** Credential=***, SignedHeaders=host",
    },
    SecretPattern {
        what: "a login",
        pattern: "\\bauthorization~basic [0-9a-z+/=]{4}",
        hit: "authorization: Basic dXNlcjpwYXNz",
        masked: "authorization: ***",
    },
    SecretPattern {
        what: "a secret key of AWS",
        pattern: "secret_?(?:access_?)?key~[0-9a-z+/]{4}",
        hit: r#"secret_access_key: "wJalrXUtnFEMI""#,
        masked: r#"secret_access_key: "** redacted **""#,
    },
    SecretPattern {
        what: "a URL with a password",
        pattern: r#"[a-z]://[^\s:/@"'?#]*:[^\s/@"'?#*][^\s/@"'?#]*@"#,
        hit: "postgres://broker:pass@db/broker",
        masked: "postgres://broker:***@db/broker",
    },
];

impl SecretPattern {
    /// Returns the regular expression.
    pub fn source(&self) -> String {
        format!("(?i-u){}", self.pattern.replace('~', BETWEEN))
    }

    /// Returns whether a line contains this kind of secret.
    pub fn is_in(&self, line: &str) -> bool {
        let pattern = Regex::new(&self.source()).expect("a pattern");
        pattern.is_match(line.as_bytes())
    }
}
