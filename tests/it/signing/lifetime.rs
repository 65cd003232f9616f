//! A URL lives as long as it says, and a shared signer is correct across midnight and across a
//! change of credentials.

use std::sync::Barrier;

use chrono::{DateTime, TimeDelta, Utc};
use upload_broker::objects::sign::{Error, GetObject, MAX_EXPIRES_IN, Presigned, PutObject};

use super::scene::Scene;

fn expires_in(presigned: &Presigned) -> &str {
    let (_, rest) = presigned.url.split_once("X-Amz-Expires=").unwrap();
    rest.split_once('&').unwrap().0
}

fn at(scene: &Scene, seconds: i64, millis: i64) -> DateTime<Utc> {
    scene.now() + TimeDelta::seconds(seconds) + TimeDelta::milliseconds(millis)
}

#[test]
fn url_lifetime_is_limited_by_credentials_and_rounded_down() {
    let scene = Scene::aws("eu-west-1", "bucket");
    let (signer, object) = (scene.signer(), GetObject::new("a"));
    // The URL is signed half a second after a full second, and the credentials end half a second
    // after one.
    let now = at(&scene, 0, 500);
    for (end, wanted, given) in [
        (at(&scene, 3_600, 500), 900, 900),
        (at(&scene, 900, 0), 900, 900),
        (at(&scene, 899, 999), 900, 899),
        (at(&scene, 1, 999), MAX_EXPIRES_IN, 1),
    ] {
        let credentials = scene.credentials_until(end);
        let signed = signer
            .get_object(&object, wanted, &credentials, now)
            .unwrap();
        assert_eq!(expires_in(&signed), given.to_string(), "until {end}");
        assert_eq!(signed.expires_at, at(&scene, given, 0), "until {end}");
        assert!(signed.expires_at <= end);
    }
}

#[test]
fn expired_credentials_sign_nothing() {
    let scene = Scene::aws("eu-west-1", "bucket");
    let (signer, object) = (scene.signer(), GetObject::new("a"));
    for end in [at(&scene, -1, 0), at(&scene, 0, 0), at(&scene, 0, 900)] {
        let credentials = scene.credentials_until(end);
        let error = signer.get_object(&object, 60, &credentials, scene.now());
        assert!(
            matches!(error, Err(Error::CredentialsExpired(_))),
            "{error:?}"
        );
    }
}

#[test]
fn lifetime_must_be_between_one_second_and_one_week() {
    let scene = Scene::aws("eu-west-1", "bucket");
    let (signer, credentials) = (scene.signer(), scene.credentials());
    let sign =
        |seconds| signer.get_object(&GetObject::new("a"), seconds, &credentials, scene.now());
    for seconds in [0, MAX_EXPIRES_IN + 1, u32::MAX] {
        assert_eq!(sign(seconds).unwrap_err(), Error::ExpiresIn(seconds));
    }
    for seconds in [1, MAX_EXPIRES_IN] {
        assert_eq!(expires_in(&sign(seconds).unwrap()), seconds.to_string());
    }
}

#[test]
fn content_length_is_signed_but_not_listed_as_a_header_to_send() {
    let scene = Scene::aws("eu-west-1", "bucket");
    let object = PutObject {
        content_length: Some(5),
        ..PutObject::new("a", "text/csv", "0190")
    };
    let put = scene
        .signer()
        .put_object(&object, 60, &scene.credentials(), scene.now())
        .unwrap();
    let names: Vec<_> = put.headers.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["content-type", "if-none-match", "x-amz-meta-upload-id"]
    );
    let signed = "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3B\
                  if-none-match%3Bx-amz-meta-upload-id&";
    assert!(put.presigned.url.contains(signed), "{}", put.presigned.url);
}

#[test]
fn debug_output_hides_signature_and_secret() {
    let scene = Scene::aws("eu-west-1", "bucket");
    let signer = scene.signer();
    let signed = signer
        .get_object(&GetObject::new("a"), 60, &scene.credentials(), scene.now())
        .unwrap();
    let shown = format!("{signed:?} {signer:?} {:?}", scene.credentials());
    assert!(shown.contains("amazonaws.com/a?***"), "{shown}");
    for secret in ["Signature", scene.secret.as_str()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// Eight threads sign the same list of times around midnight through one signer, with two
/// alternating sets of credentials. Each URL equals the one of a new signer.
#[test]
fn shared_signer_is_correct_across_midnight_and_change_of_credentials() {
    let scene = Scene::aws("eu-west-1", "bucket");
    let other = Scene {
        secret: "another".into(),
        token: Some("t".into()),
        ..scene.clone()
    };
    let sets = [scene.credentials(), other.credentials()];
    let object = GetObject::new("a");
    let moments: Vec<_> = (0..200)
        .map(|n| {
            (
                at(&scene, (n % 7) - 3, 0),
                &sets[usize::try_from(n % 2).unwrap()],
            )
        })
        .collect();
    let endpoint = scene.signer().endpoint().clone();
    let fresh = |now, credentials| {
        let signer = upload_broker::objects::sign::Signer::new(endpoint.clone());
        signer.get_object(&object, 60, credentials, now).unwrap()
    };
    let expected: Vec<_> = moments.iter().map(|(now, set)| fresh(*now, *set)).collect();

    let (shared, start) = (scene.signer(), Barrier::new(8));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                start.wait();
                for ((now, set), expected) in moments.iter().zip(&expected) {
                    let signed = shared.get_object(&object, 60, set, *now).unwrap();
                    assert_eq!(signed.url, expected.url, "at {now}");
                }
            });
        }
    });
}
