//! Signed POST policies: those of AWS's own example, of the JavaScript SDK and of boto3.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use upload_broker::objects::sign::{PostForm, PutObject};

use super::scene::Scene;
use crate::support::python;

/// The policy of "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)", S3
/// API reference.
const AWS_POLICY: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

#[test]
fn published_policies_have_the_published_signatures() {
    let scene = Scene::aws("us-east-1", "sigv4examplebucket");
    let signature = scene.signer().sign_policy(
        AWS_POLICY,
        &scene.credentials(),
        time("2015-12-29T00:00:00Z"),
    );
    assert_eq!(
        signature,
        "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
    );

    // From createPresignedPost of the JavaScript SDK.
    let policy = r#"{"expiration":"2026-11-20T16:08:14Z","conditions":[["content-length-range",1,1048576],{"success_action_status":"201"},{"content-type":"text/plain"},{"x-amz-meta-dataset":"ds 1"},{"bucket":"bkt"},{"X-Amz-Algorithm":"AWS4-HMAC-SHA256"},{"X-Amz-Credential":"AKIAEXAMPLE/20261120/eu-west-1/s3/aws4_request"},{"X-Amz-Date":"20261120T155454Z"},{"key":"uuid-a b.txt"}]}"#;
    let scene = Scene {
        access_key: "AKIAEXAMPLE".into(),
        secret: "secret".into(),
        ..Scene::aws("eu-west-1", "bkt")
    };
    let signature = scene.signer().sign_policy(
        &STANDARD.encode(policy),
        &scene.credentials(),
        time("2026-11-20T15:54:54Z"),
    );
    assert_eq!(
        signature,
        "bdcefd5e14e94b6e61b40095b6a2f3fe942975b5ddeb4ac5b9ccf57258f341f4"
    );
}

/// Prints the form that boto3 makes for the same fields and conditions, at the same time.
const BOTO3: &str = r#"
import datetime, json, os, sys
import boto3, botocore.auth, botocore.compat, botocore.signers
wanted = json.loads(os.environ["WANTED"])
class Frozen(datetime.datetime):
    @classmethod
    def utcnow(cls): return datetime.datetime.fromisoformat(wanted["now"]).replace(tzinfo=None)
    @classmethod
    def now(cls, tz=None): return datetime.datetime.fromisoformat(wanted["now"])
now = lambda remove_tzinfo=True: Frozen.utcnow()
botocore.auth.get_current_datetime = now
botocore.compat.get_current_datetime = now
botocore.signers.get_current_datetime = now
config = botocore.config.Config(signature_version="s3v4", s3={"addressing_style": wanted["style"]})
client = boto3.client("s3", region_name=wanted["region"], endpoint_url=wanted["endpoint"], config=config,
    aws_access_key_id=wanted["access"], aws_secret_access_key=wanted["secret"], aws_session_token=wanted["token"])
form = client.generate_presigned_post(wanted["bucket"], wanted["key"], Fields=wanted["fields"],
    Conditions=[["content-length-range", *wanted["sizes"]], *({name: value} for name, value in wanted["fields"].items())],
    ExpiresIn=wanted["seconds"])
json.dump(form, sys.stdout)
"#;

/// The fields by their names in lower case, without the policy and its signature.
fn without_policy(fields: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields
        .map(|(name, value)| (name.to_lowercase(), value))
        .filter(|(name, _)| name != "policy" && name != "x-amz-signature")
        .collect();
    fields.sort();
    fields
}

/// The conditions of a policy in one order and in lower case, because boto3 writes them differently.
fn conditions(policy: &str) -> Vec<String> {
    let policy = STANDARD.decode(policy).expect("base64");
    let policy: Value = serde_json::from_slice(&policy).expect("JSON");
    let all = policy["conditions"].as_array().expect("conditions");
    let mut all: Vec<String> = (all.iter())
        .map(|condition| match condition.as_object() {
            Some(exact) => {
                let (name, value) = exact.iter().next().expect("a name");
                format!("{} = {value}", name.to_lowercase())
            }
            None => condition.to_string(),
        })
        .collect();
    all.sort();
    all
}

#[test]
fn form_equals_that_of_boto3() {
    for (style, token, key) in [
        ("virtual", None, "a/uuid-a b é+%.txt"),
        ("path", Some("a session+token/=="), "k"),
    ] {
        let scene = Scene {
            token: token.map(str::to_owned),
            ..Scene::custom("https://s3.example.org", "examplebucket", style == "path")
        };
        let form = PostForm {
            object: PutObject::new(key, "text/plain", "the-upload"),
            bucket: "examplebucket",
            sizes: 0..=1_048_576,
        };
        let ours = (scene.signer())
            .post_form(&form, 900, &scene.credentials(), scene.now())
            .expect("a form");
        let wanted = json!({
            "now": scene.now().to_rfc3339(), "region": scene.region, "style": style,
            "endpoint": scene.endpoint_url, "access": scene.access_key, "secret": scene.secret,
            "token": scene.token, "bucket": "examplebucket", "key": key, "seconds": 900,
            "sizes": [0, 1_048_576],
            "fields": {
                "success_action_status": "201", "content-type": "text/plain",
                "x-amz-meta-upload-id": "the-upload", "bucket": "examplebucket",
            },
        });
        let printed = python::run(&["-c", BOTO3], &[("WANTED", wanted.to_string())]);
        let theirs: Value = serde_json::from_str(&printed).expect("a form of boto3");
        assert_eq!(ours.url, theirs["url"].as_str().expect("a URL"));
        let fields = theirs["fields"].as_object().expect("fields");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let their_fields = fields
            .iter()
            .map(|(name, value)| (name.clone(), text(value)));
        let our_fields = ours.fields.iter();
        let our_fields = our_fields.map(|(name, value)| ((*name).to_owned(), value.clone()));
        assert_eq!(without_policy(our_fields), without_policy(their_fields));
        let ours_of = |name: &str| {
            let found = ours.fields.iter().find(|(known, _)| *known == name);
            &found.expect("the field").1
        };
        let mut their_conditions = conditions(&text(&fields["policy"]));
        // boto3 adds the bucket once more.
        their_conditions.dedup();
        assert_eq!(conditions(ours_of("Policy")), their_conditions);
        // The policies have another order, so the signature of theirs is compared.
        let signature =
            scene
                .signer()
                .sign_policy(&text(&fields["policy"]), &scene.credentials(), scene.now());
        assert_eq!(signature, text(&fields["x-amz-signature"]));
        let own = scene.signer();
        let own = own.sign_policy(ours_of("Policy"), &scene.credentials(), scene.now());
        assert_eq!(&own, ours_of("X-Amz-Signature"));
    }
}

#[test]
fn form_never_outlives_its_credentials_and_hides_its_fields() {
    let scene = Scene::aws("eu-west-1", "bkt");
    let end = scene.now() + chrono::TimeDelta::seconds(60);
    let form = PostForm {
        object: PutObject::new("k", "text/plain", "the-upload"),
        bucket: "bkt",
        sizes: 5..=5,
    };
    let signer = scene.signer();
    let signed = signer
        .post_form(&form, 900, &scene.credentials_until(end), scene.now())
        .expect("a form");
    assert_eq!(signed.expires_at, end);
    assert_eq!(signed.url, "https://bkt.s3.eu-west-1.amazonaws.com/");
    let shown = format!("{signed:?}");
    for (name, value) in &signed.fields {
        if ["Policy", "X-Amz-Signature", "X-Amz-Credential"].contains(name) {
            assert!(!shown.contains(value.as_str()), "{name}: {shown}");
        }
    }
    let over = signer.post_form(
        &form,
        900,
        &scene.credentials_until(scene.now()),
        scene.now(),
    );
    assert!(over.is_err(), "{over:?}");
    let bad = PostForm {
        object: PutObject::new("k", "text/plain\r\nx: y", "the-upload"),
        ..form
    };
    assert!(
        signer
            .post_form(&bad, 900, &scene.credentials(), scene.now())
            .is_err()
    );
}
