//! The time that a refusal takes must reveal nothing about valid keys. What is compared are hashes,
//! which have nothing in common however similar their keys are, and signatures are verified in
//! constant time. `benches/timing.rs` measures this; the tests here check how the code is written.

use std::fmt::Write as _;

use reqwest::StatusCode;
use sha2::{Digest as _, Sha256};
use upload_broker::domain::principal::Scope;

use super::get_as;
use crate::support::app::App;

/// Postgres has nothing that a key could be compared with byte by byte.
#[tokio::test]
async fn database_stores_only_hash_of_key_and_finds_it_by_unique_index() {
    let app = App::start().await;
    let (id, key) = app.issue_key("default", &Scope::ALL, None).await;
    let client = app.sql().await;
    let row = format!("SELECT to_jsonb(k)::text, k.hash FROM api_keys k WHERE id = '{id}'");
    let row = client.query_one(&row, &[]).await.expect("a row");
    let (text, hash): (String, Vec<u8>) = (row.get(0), row.get(1));
    assert_eq!(hash, Sha256::digest(key.as_bytes()).to_vec());
    let secret = key.strip_prefix("ubk_").expect("a key");
    for at in 0..=secret.len() - 6 {
        let piece = &secret[at..at + 6];
        assert!(!text.contains(piece), "{piece} of the key is in {text}");
    }
    // A key is found by its whole hash through a unique index.
    let plan = "EXPLAIN SELECT id FROM api_keys WHERE hash = '\\x00'";
    let off = client.batch_execute("SET enable_seqscan = off").await;
    off.expect("a setting");
    let lines = client.query(plan, &[]).await.expect("a plan");
    let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("api_keys_hash_unique"), "{plan}");
}

/// The code passes a token only to the check of its shape, which reads what all keys share, to the
/// hash, and to the verification of signatures. A key goes to the hash only.
#[test]
fn authenticate_passes_token_only_to_shape_check_hash_and_verifier() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/usecases/identity/authenticate.rs"
    );
    let code = std::fs::read_to_string(file).expect("a source file");
    let code = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let uses: Vec<_> = code
        .filter(|line| line.contains("bearer"))
        .map(str::trim)
        .collect();
    assert_eq!(
        uses,
        [
            "pub async fn authenticate(broker: &Arc<Broker>, bearer: &str) -> Result<Option<Arc<Principal>>> {",
            "let Some(kind) = Kind::of(broker, bearer) else {",
            "let hash = hash(bearer);",
            "let known = kind.load(broker, bearer, hash).await;",
            "fn of(broker: &'a Broker, bearer: &str) -> Option<Self> {",
            "if has_shape(bearer) {",
            "if is_upload_token(bearer) {",
            "jwt.filter(|_| Jwt::has_shape(bearer)).map(Self::Jwt)",
            "bearer: &str,",
            "Self::UploadToken => token::load(broker, bearer, hash).await,",
            "Self::Jwt(jwt) => jwt::load(broker, jwt, bearer, hash).await,",
        ]
    );
}

/// A key that differs in its first or in its last character is as unknown as any other.
#[tokio::test]
async fn key_with_one_wrong_character_is_rejected() {
    let app = App::start().await;
    let (_, key) = app.issue_key("default", &Scope::ALL, None).await;
    get_as(&app, &key, "/uploads").await.expect(StatusCode::OK);
    for at in [4, 5, key.len() / 2, key.len() - 1] {
        let other = if key.as_bytes()[at] == b'A' { "B" } else { "A" };
        let almost = format!("{}{other}{}", &key[..at], &key[at + 1..]);
        get_as(&app, &almost, "/uploads")
            .await
            .expect_problem(401, "unauthenticated");
    }
}

/// The files that distinguish credentials, and each comparison that is made there: of names, kinds
/// and lengths, which are public.
const COMPARED: &[(&str, &[&str])] = &[
    ("http/middleware/auth.rs", &[]),
    (
        "identity/claims.rs",
        &[
            "Self::One(one) => one == name,",
            "Self::Many(many) => many.iter().any(|one| one == name),",
            "if issuer.is_some() && self.iss.as_deref() != issuer {",
        ],
    ),
    (
        "identity/jwt.rs",
        &[
            "text.len() <= MAX_LENGTH && text.split('.').count() == 3",
            "Keys::Secret(_) if algorithm != Algorithm::HS256 => Verified::Invalid,",
        ],
    ),
    ("identity/upload_token.rs", &[]),
    ("usecases/identity/authenticate.rs", &[]),
    ("usecases/identity/authenticate/principal.rs", &[]),
    ("usecases/identity/authenticate/jwt.rs", &[]),
    ("usecases/identity/authenticate/token.rs", &[]),
    (
        "usecases/identity/keys.rs",
        &[
            "if tenant != DEFAULT_TENANT",
            ".is_some_and(|secret| secret.len() == 43 && secret.is_ascii())",
        ],
    ),
    ("usecases/identity/token_key.rs", &[]),
];
/// Comparisons whose duration depends on where the first difference is.
const COMPARES: &[&str] = &[" == ", " != ", ".eq(", ".ne(", ".cmp(", "==*", "== *"];

#[test]
fn secrets_are_compared_in_constant_time_only() {
    let mut broken = String::new();
    for (name, may) in COMPARED {
        let code = code_of(name);
        let found = code.lines().map(str::trim);
        let found: Vec<_> = found
            .filter(|line| COMPARES.iter().any(|sign| line.contains(sign)))
            .collect();
        if found != *may {
            let _ = writeln!(broken, "{name}: {found:#?}");
        }
    }
    assert!(
        broken.is_empty(),
        "other comparisons than were looked at:\n{broken}"
    );

    // The signature of an upload token goes to one call, which takes constant time.
    let code = code_of("identity/upload_token.rs");
    let verifies = code.lines().map(str::trim);
    let verifies: Vec<_> = verifies.filter(|line| line.contains("&mac)")).collect();
    assert_eq!(verifies, ["self.mac(payload).verify_slice(&mac).ok()?;"]);
    // The signature of a JWT stays inside the library that verifies it.
    let code = code_of("identity/jwt.rs");
    let words = ["signature", "split_once", "rsplit"];
    let found: Vec<_> = (code.lines())
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .collect();
    assert_eq!(found, [""; 0]);
    assert_eq!(code.matches("decode::<Claims>(").count(), 1);
}

/// A source file without its comments and its tests.
fn code_of(name: &str) -> String {
    let file = format!("{}/src/{name}", env!("CARGO_MANIFEST_DIR"));
    let code = std::fs::read_to_string(&file).expect(&file);
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}
