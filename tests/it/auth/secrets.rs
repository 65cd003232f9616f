//! Secrets are lent, or held in what wipes them: no plain copy of one outlives its use.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::architecture::sources;

/// What makes a plain copy of a secret that was exposed.
const COPIES: &[&str] = &[
    "expose_secret().to_owned()",
    "expose_secret().to_string()",
    "expose_secret().to_vec()",
    "expose_secret().into()",
    "expose_secret().as_bytes().to_vec()",
    "expose().to_owned()",
    "expose().to_string()",
];
/// Names of fields that hold secrets.
const NAMES: &[&str] = &["token", "secret", "password", "bearer", "api_key", "jwt"];
/// What holds text in the clear and leaves it in memory.
const PLAIN: &[&str] = &[
    "String",
    "Option<String>",
    "Vec<u8>",
    "Box<str>",
    "Arc<str>",
];
/// `file: line`, and why it may.
const MAY: &[(&str, &str)] = &[
    // Into a type of s3s that wipes itself.
    (
        "src/dev/s3/store.rs",
        "secret_key: options.secret_key.expose_secret().into(),",
    ),
    // A place in a list of S3, no secret.
    ("src/domain/page.rs", "token: String,"),
    // A part of every URL that is signed for it.
    ("src/objects/sign/part.rs", "token: String,"),
];

#[test]
fn source_has_no_plain_copies_of_secrets() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut broken, mut used) = (String::new(), 0);
    for file in sources(root.join("src")) {
        let code = fs::read_to_string(&file).expect("a source file");
        let name = file.strip_prefix(root).expect("below the root");
        let name = name.display().to_string();
        let mut told = |line: &str| {
            if MAY.contains(&(&name, line)) {
                used += 1;
            } else {
                let _ = writeln!(broken, "{name}: {line}");
            }
        };
        for line in code.lines().map(str::trim) {
            if copies(line) || is_plain_field(line) {
                told(line);
            }
        }
        // What is broken over lines.
        let joined: String = code.split_whitespace().collect();
        let whole = COPIES.iter().map(|copy| joined.matches(copy).count());
        let by_line = code.lines().filter(|line| copies(line)).count();
        if whole.sum::<usize>() > by_line {
            told("a copy that is broken over lines");
        }
    }
    assert!(broken.is_empty(), "plain copies of secrets:\n{broken}");
    assert_eq!(used, MAY.len(), "an exception that nothing needs");
}

fn copies(line: &str) -> bool {
    COPIES.iter().any(|copy| line.contains(copy))
}

fn is_plain_field(line: &str) -> bool {
    let field = line.strip_prefix("pub(super) ").unwrap_or(line);
    let field = field.strip_prefix("pub ").unwrap_or(field);
    field.split_once(": ").is_some_and(|(name, kind)| {
        let secret = NAMES.iter().any(|secret| name.ends_with(secret));
        secret && PLAIN.contains(&kind.trim_end_matches(','))
    })
}

#[test]
fn plain_secret_fields_are_recognized() {
    for line in [
        "token: String,",
        "pub password: String,",
        "pub(super) session_token: Option<String>,",
    ] {
        assert!(is_plain_field(line), "{line}");
    }
    for line in [
        "token: SecretString,",
        "let token: String = x;",
        "broken: String,",
    ] {
        assert!(!is_plain_field(line), "{line}");
    }
}
