//! The message formats of S3's events: plain, in an SNS envelope and from EventBridge, the test
//! event, invalid messages and random ones.

use proptest::prelude::*;
use serde_json::{Value, json};
use upload_broker::arrivals::message::{ObjectChange, ParsedMessage, Unreadable, read};

use crate::support::events::raw;

/// The changes in a message that can be read completely.
fn of(body: &Value) -> Result<Vec<ObjectChange>, Unreadable> {
    let contents = read(&body.to_string())?;
    contents.unreadable.map_or(Ok(contents.changes), Err)
}

fn change(key: &str) -> ObjectChange {
    ObjectChange {
        bucket: "datasets".into(),
        key: key.into(),
    }
}

fn in_sns(message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:1:t",
        "Subject": "Amazon S3 Notification", "Message": message.to_string(),
        "Timestamp": "2025-03-01T10:00:00.000Z", "SignatureVersion": "1"})
}

fn eventbridge(kind: &str, key: &str) -> Value {
    json!({"version": "0", "id": "1", "detail-type": kind, "source": "aws.s3",
        "account": "111122223333", "time": "2025-03-01T10:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:s3:::datasets"],
        "detail": {"version": "0", "bucket": {"name": "datasets"},
            "object": {"key": key, "size": 5, "etag": "b1946ac", "sequencer": "00617F08299329D189"},
            "request-id": "N4N7", "requester": "123456789012", "reason": "PutObject"}})
}

/// Keys as S3 encodes them, and decoded.
const KEYS: [(&str, &str); 6] = [
    ("a/b.csv", "a/b.csv"),
    ("two+words.csv", "two words.csv"),
    ("one%2Bone.csv", "one+one.csv"),
    ("100%25%2F2.csv", "100%/2.csv"),
    ("%E6%97%A5%E6%9C%AC.csv", "日本.csv"),
    ("100%.csv", "100%.csv"),
];

#[test]
fn keys_are_decoded_in_s3_messages_and_unchanged_in_eventbridge_messages() {
    for (encoded, key) in KEYS {
        let mut body = raw("ObjectCreated:Put", "datasets", "");
        body["Records"][0]["s3"]["object"]["key"] = encoded.into();
        assert_eq!(of(&body), Ok(vec![change(key)]), "{encoded}");
        assert_eq!(of(&in_sns(&body)), Ok(vec![change(key)]), "{encoded}");
        let body = eventbridge("Object Created", encoded);
        assert_eq!(of(&body), Ok(vec![change(encoded)]), "{encoded}");
        assert_eq!(of(&in_sns(&body)), Ok(vec![change(encoded)]), "{encoded}");
    }
}

#[test]
fn only_events_that_change_an_object_are_reported() {
    for (name, is_reported) in [
        ("ObjectCreated:Put", true),
        ("ObjectCreated:CompleteMultipartUpload", true),
        ("s3:ObjectCreated:Put", true),
        ("ObjectRemoved:Delete", true),
        ("ObjectRemoved:DeleteMarkerCreated", true),
        ("LifecycleExpiration:Delete", true),
        ("ObjectTagging:Put", false),
        ("ObjectRestore:Post", false),
        ("ObjectAcl:Put", false),
    ] {
        let changes = of(&raw(name, "datasets", "a.csv")).expect(name);
        assert_eq!(changes.len(), usize::from(is_reported), "{name}");
    }
    for (kind, is_reported) in [
        ("Object Created", true),
        ("Object Deleted", true),
        ("Object Tags Added", false),
        ("Object Storage Class Changed", false),
    ] {
        let changes = of(&eventbridge(kind, "a.csv")).expect(kind);
        assert_eq!(changes.len(), usize::from(is_reported), "{kind}");
    }
}

#[test]
fn message_with_several_records_reports_all_changes() {
    let mut body = raw("ObjectCreated:Put", "datasets", "a.csv");
    let more = raw("ObjectRemoved:Delete", "datasets", "b.csv");
    let records = body["Records"].as_array_mut().expect("records");
    records.push(more["Records"][0].clone());
    assert_eq!(of(&body), Ok(vec![change("a.csv"), change("b.csv")]));
    assert_eq!(of(&json!({"Records": []})), Ok(vec![]));
}

#[test]
fn unreadable_record_does_not_hide_the_other_records() {
    let good = raw("ObjectCreated:Put", "datasets", "a.csv")["Records"][0].clone();
    let mut keyless = good.clone();
    keyless["s3"]["object"] = json!({});
    let mut bytes = good.clone();
    bytes["s3"]["object"]["key"] = "%FF.csv".into();
    let ses = json!({"eventSource": "aws:ses", "ses": {}});
    for (bad, reason) in [
        (keyless, Unreadable::Shape),
        (bytes, Unreadable::Key),
        (ses, Unreadable::Shape),
        (json!(null), Unreadable::Shape),
    ] {
        for records in [json!([bad, good]), json!([good, bad])] {
            let contents = ParsedMessage {
                changes: vec![change("a.csv")],
                unreadable: Some(reason),
            };
            let body = json!({"Records": records});
            assert_eq!(read(&body.to_string()), Ok(contents), "{body}");
        }
    }
}

#[test]
fn s3_test_event_reports_no_change() {
    let body = json!({"Service": "Amazon S3", "Event": "s3:TestEvent",
        "Time": "2025-03-01T10:00:00.000Z", "Bucket": "datasets",
        "RequestId": "5582815E1AEA5ADF", "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR"});
    assert_eq!(of(&body), Ok(vec![]));
    assert_eq!(of(&in_sns(&body)), Ok(vec![]));
}

/// Bodies that no version of S3 sends.
pub fn garbage() -> Vec<String> {
    let mut other = eventbridge("EC2 Instance State-change Notification", "a");
    other["source"] = "aws.ec2".into();
    let mut bytes = raw("ObjectCreated:Put", "datasets", "");
    bytes["Records"][0]["s3"]["object"]["key"] = "%FF.csv".into();
    let mut keyless = raw("ObjectCreated:Put", "datasets", "a");
    keyless["Records"][0]["s3"]["object"] = json!({});
    let mut nameless = keyless.clone();
    nameless["Records"][0]["s3"]["object"]["key"] = "".into();
    let twice = in_sns(&in_sns(&raw("ObjectCreated:Put", "datasets", "a")));
    let ses = json!({"Records": [{"eventSource": "aws:ses", "ses": {}}]});
    let bodies = [
        other,
        bytes,
        keyless,
        nameless,
        twice,
        ses,
        json!({}),
        json!([]),
        json!(null),
    ];
    let mut bodies: Vec<_> = bodies.iter().map(Value::to_string).collect();
    bodies.extend([
        "hello".into(),
        "{\"Records\": [".into(),
        "[".repeat(100_000),
    ]);
    bodies
}

#[test]
fn invalid_messages_are_unreadable() {
    for body in garbage() {
        let shown: String = body.chars().take(80).collect();
        assert!(read(&body).is_err(), "{shown}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "Records",
        "Type",
        "Notification",
        "Message",
        "Event",
        "s3:TestEvent",
        "eventName",
        "ObjectCreated:Put",
        "s3",
        "bucket",
        "name",
        "object",
        "key",
        "source",
        "aws.s3",
        "detail",
        "detail-type",
        "Object Created",
        "%",
        "%F",
        "%FF",
        "+",
    ]);
    let text = prop_oneof![words.prop_map(str::to_owned), any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(text.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_json_never_panics_and_reads_the_same_in_an_envelope(body in any_json()) {
        let plain = read(&body.to_string());
        let wrapped = read(&in_sns(&body).to_string());
        // An envelope changes nothing, except around another envelope.
        if body["Type"] != "Notification" {
            prop_assert_eq!(plain, wrapped);
        }
    }

    #[test]
    fn random_text_never_panics(body in any::<String>()) {
        let _ = read(&body);
    }

    #[test]
    fn every_key_is_read_unchanged(key in "\\PC{1,200}") {
        let body = raw("ObjectCreated:Put", "datasets", &key);
        prop_assert_eq!(of(&body), Ok(vec![change(&key)]));
        prop_assert_eq!(of(&eventbridge("Object Created", &key)), Ok(vec![change(&key)]));
    }
}
