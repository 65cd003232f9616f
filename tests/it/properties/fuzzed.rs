//! Runs the bodies of the fuzz targets with random bytes and with mutations of valid input.

#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::support::events::raw;
use crate::support::options::cases;

/// One change of some bytes.
#[derive(Clone, Debug)]
enum Edit {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
    Repeat(Index, u8),
}

fn edit(words: &'static [&'static str]) -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    let word = select(words).prop_map(|word| word.as_bytes().to_vec());
    let bytes = prop_oneof![word, vec(any::<u8>(), 1..8), vec(b' '..=b'~', 1..8)];
    prop_oneof![
        (at(), prop_oneof![any::<u8>(), b' '..=b'~']).prop_map(|(at, byte)| Edit::Set(at, byte)),
        (at(), bytes).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (at(), 1..16_u8).prop_map(|(at, count)| Edit::Remove(at, count)),
        (at(), 1..64_u8).prop_map(|(at, count)| Edit::Repeat(at, count)),
    ]
}

fn mutated(mut bytes: Vec<u8>, edits: Vec<Edit>) -> Vec<u8> {
    for edit in edits {
        let place = |at: Index| at.index(bytes.len() + 1);
        let end = |start: usize, count: u8| (start + usize::from(count)).min(bytes.len());
        match edit {
            Edit::Set(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Edit::Set(..) => {}
            Edit::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more);
            }
            Edit::Remove(at, count) => {
                let at = place(at);
                bytes.drain(at..end(at, count));
            }
            Edit::Repeat(at, count) => {
                let at = place(at);
                bytes.extend_from_within(at..end(at, count));
            }
        }
    }
    bytes
}

/// Random bytes, or one of `good` with a few changes.
fn random_or_mutated(
    good: Vec<String>,
    words: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let mutated = (select(good), vec(edit(words), 0..6))
        .prop_map(|(good, edits)| mutated(good.into_bytes(), edits));
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => mutated]
}

fn paths() -> Vec<String> {
    [
        "/data/employees.csv",
        "acme/a",
        "/acme/../b",
        "//",
        "a/action/b",
        "é/日本.csv",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn queries() -> Vec<String> {
    use upload_broker::domain::page::Cursor;
    let upload = Cursor::Upload(uuid::Uuid::nil()).encode();
    let listing = Cursor::Listing {
        token: "t".into(),
        prefix: "/data/".into(),
        folders: true,
    };
    let listing = listing.encode();
    vec![
        format!("limit=1&cursor={upload}"),
        format!("prefix=%2Fdata%2F&status=Error&status=Expired&cursor={listing}"),
        upload,
        listing,
    ]
}

fn messages() -> Vec<String> {
    let s3 = raw("ObjectCreated:Put", "datasets", "a/b+c.csv").to_string();
    let eventbridge = r#"{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"b"},"object":{"key":"k"}}}"#;
    let sns = serde_json::json!({"Type": "Notification", "Message": s3}).to_string();
    vec![
        s3,
        eventbridge.to_owned(),
        sns,
        r#"{"Event":"s3:TestEvent"}"#.to_owned(),
    ]
}

fn settings() -> Vec<String> {
    let good = "DATABASE_URL=db:5432/broker?sslmode=require\nBROKER_S3_BUCKET=datasets";
    let more = "BROKER_BIND=[::1]:0\nBROKER_CORS_ORIGINS=https://app.example.com\n\
        BROKER_S3_PUBLIC_ENDPOINT=https://s3.example.com\nBROKER_URL_SECONDS=60";
    let events = "BROKER_SNS_TOPIC_ARN=arn:aws:sns:eu-west-1:123456789012:t\n\
        BROKER_S3_EVENTS_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/q\n\
        DATABASE_URL=one:1,two:2/db";
    [more, events, ""]
        .map(|more| format!("{good}\n{more}"))
        .to_vec()
}

fn claims() -> Vec<String> {
    let good =
        r#"{"exp":1800000600,"iss":"issuer","aud":"broker","tenant":"acme","scope":"admin"}"#;
    let more = r#"{"exp":1800000600.5,"nbf":1799999990,"iss":"issuer","aud":["x","broker"],
        "tenant":"acme","scope":"uploads:write other","path_prefix":"/in/","max_size":5}"#;
    [good, more, "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"]
        .map(str::to_owned)
        .to_vec()
}

/// A valid upload token.
fn upload_tokens() -> Vec<String> {
    use secrecy::ExposeSecret as _;
    use upload_broker::identity::Grant;
    use upload_broker::identity::upload_token::{TokenKey, UploadToken};
    let token = UploadToken {
        grant: Grant {
            tenant: "acme".into(),
            scopes: vec![upload_broker::domain::principal::Scope::UploadsWrite],
            prefix: None,
            max_size: Some(5),
            ends_at: chrono::DateTime::from_timestamp(1_800_000_000, 0).expect("a time"),
            subject: None,
        },
        key: Some(uuid::Uuid::nil()),
        allowances: Vec::new(),
    };
    let sealed = TokenKey::new(bodies::upload_token::SECRET).sign(&token);
    vec![sealed.expect("a token").expose_secret().to_owned()]
}

/// A token can be opened as it was made, but not when a character is changed.
#[test]
fn upload_token_with_a_changed_character_is_rejected() {
    use upload_broker::identity::upload_token::TokenKey;
    let key = TokenKey::new(bodies::upload_token::SECRET);
    let good = upload_tokens().remove(0);
    assert!(key.verify(&good).is_some(), "{good}");
    bodies::upload_token::hold(good.as_bytes());
    // The last letter of 32 bytes in base64 has bits without a meaning, so it is left out.
    for at in 0..good.len() - 1 {
        let mut bent = good.clone().into_bytes();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).expect("letters");
        assert_eq!(key.verify(&bent), None, "at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(512), ..ProptestConfig::default() })]

    #[test]
    fn path_invariants_hold_for_random_and_mutated_input(data in random_or_mutated(paths(), &["/", "..", "acme/", "%2e", "\u{0}", "\u{202e}", "action/"])) {
        bodies::path::hold(&data);
    }

    #[test]
    fn cursor_invariants_hold_for_random_and_mutated_input(data in random_or_mutated(queries(), &["&", "=", "%", "cursor=", "+", "limit=0"])) {
        bodies::cursor::hold(&data);
    }

    #[test]
    fn jwt_invariants_hold_for_random_and_mutated_input(data in random_or_mutated(claims(), &["{", "}", "\"", "exp", "1799999969", "1e99", "-1", "null", "[]", ".", "eyJ"])) {
        bodies::jwt::hold(&data);
    }

    #[test]
    fn upload_token_invariants_hold_for_random_and_mutated_input(data in random_or_mutated(upload_tokens(), &["ubt_", ".", "A", "-", "_", "e30"])) {
        bodies::upload_token::hold(&data);
    }

    #[test]
    fn s3_event_message_invariants_hold_for_random_and_mutated_input(data in random_or_mutated(messages(), &["{", "}", "\"", "%ff", "+", "null", "\"Records\":[]"])) {
        bodies::message::hold(&data);
    }

    #[test]
    fn settings_invariants_hold_for_random_and_mutated_input(data in random_or_mutated(settings(), &["\n", "=", "@", ":", "?", "#", "/", ",", "%", "[", "BROKER_"])) {
        bodies::config::hold(&data);
    }
}

/// Each fuzz body has a fuzz target, and each target is built.
#[test]
fn every_fuzz_body_has_a_target_that_is_built() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz");
    let manifest = std::fs::read_to_string(format!("{folder}/Cargo.toml")).expect("a manifest");
    let bodies = std::fs::read_to_string(format!("{folder}/bodies/mod.rs")).expect("the bodies");
    let names: Vec<_> = (bodies.lines())
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let target = std::fs::read_to_string(format!("{folder}/fuzz_targets/{name}.rs"));
        let target = target.unwrap_or_else(|error| panic!("{name} has no target: {error}"));
        assert!(
            target.contains(&format!("bodies::{name}::hold(data)")),
            "{target}"
        );
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is not built"
        );
    }
}
