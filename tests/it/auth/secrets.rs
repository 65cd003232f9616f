//! Secrets are borrowed, or held in types that wipe them: no plain copy of a secret outlives its
//! use.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::architecture::sources;

/// Expressions that make a plain copy of an exposed secret.
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
/// Types that hold text in the clear and leave it in memory.
const PLAIN: &[&str] = &[
    "String",
    "Option<String>",
    "Vec<u8>",
    "Box<str>",
    "Arc<str>",
];
/// The permitted exceptions by file and line, each with its reason.
const MAY: &[(&str, &str)] = &[
    // Copied into a type of s3s that wipes itself.
    (
        "src/dev/s3/store.rs",
        "secret_key: options.secret_key.expose_secret().into(),",
    ),
    // A continuation token of an S3 list, no secret.
    ("src/domain/page.rs", "token: String,"),
    // Part of every URL that is signed with it.
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
        let mut report = |line: &str| {
            if MAY.contains(&(&name, line)) {
                used += 1;
            } else {
                let _ = writeln!(broken, "{name}: {line}");
            }
        };
        for line in code.lines().map(str::trim) {
            if copies(line) || is_plain_field(line) {
                report(line);
            }
        }
        // Copies that are broken over several lines.
        let joined: String = code.split_whitespace().collect();
        let whole = COPIES.iter().map(|copy| joined.matches(copy).count());
        let by_line = code.lines().filter(|line| copies(line)).count();
        if whole.sum::<usize>() > by_line {
            report("a copy that is broken over lines");
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
