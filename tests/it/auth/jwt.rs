//! JWTs that are signed with a shared secret: valid claims apply, and any invalid token is
//! rejected.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Header};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::issuer::{AUDIENCE, ISSUER, SECRET, Signer, claims};
use super::{get_as, operations, send};
use crate::support::app::{App, Setup, id};
use crate::support::database;
use crate::support::gate::Gate;
use crate::support::reply::Reply;
use crate::support::serving::Caller;

pub fn setup() -> Setup {
    Setup::new()
        .set("BROKER_JWT_HS256_SECRET", SECRET)
        .set("BROKER_JWT_ISSUER", ISSUER)
        .set("BROKER_JWT_AUDIENCE", AUDIENCE)
}

fn signer() -> Signer {
    Signer::new("any", Algorithm::HS256)
}

/// A caller with a JWT of these claims.
pub fn jwt_caller(app: &App, changes: Value) -> Caller {
    Caller::new(app.url.clone(), signer().sign(&claims(app, changes)))
}

pub async fn post(caller: &Caller, path: &str, body: Value) -> Reply {
    Reply::of(caller.request(Method::POST, path).json(&body)).await
}

#[tokio::test]
async fn jwt_gives_access_to_its_tenant_with_its_scopes() {
    let app = setup().start().await;
    app.issue_key("acme", &Scope::ALL, None).await;
    let scope = "openid uploads:write uploads:read";
    let ada = jwt_caller(&app, json!({"tenant": "acme", "scope": scope}));
    let upload = ada.upload("/a.csv", "x").await;
    let s3_url = format!("s3://{}/acme/a.csv", app.bucket.name);
    assert_eq!(upload["s3_url"], s3_url, "{upload:#}");
    ada.get("/datasets")
        .await
        .expect_problem(403, "insufficient-scope");
    // Other tenants do not see the upload.
    let reply = get_as(&app, &app.key, &format!("/uploads/{}", id(&upload))).await;
    reply.expect_problem(404, "upload-not-found");
}

/// A JWT with arbitrary parts, which no library would produce.
pub fn raw(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[tokio::test]
async fn invalid_jwt_is_rejected_with_same_401_whatever_is_wrong() {
    let app = setup().start().await;
    let now = app.clock.now().timestamp();
    let signer = signer();
    let mut bad: Vec<(String, String)> = [
        json!({"exp": null}),
        json!({"exp": now - 31}),
        json!({"exp": "tomorrow"}),
        json!({"nbf": now + 60}),
        json!({"iss": "https://id.example.org"}),
        json!({"iss": null}),
        json!({"aud": "downloads"}),
        json!({"aud": null}),
        json!({"tenant": null}),
        json!({"tenant": ""}),
        json!({"tenant": "absent"}),
        json!({"tenant": "a\u{0}b"}),
        json!({"tenant": "Default"}),
        json!({"scope": null}),
        json!({"scope": 7}),
        json!({"scope": ["uploads:read", 7]}),
        json!({"scope": null, "roles": ["uploads:read"]}),
        json!({"path_prefix": ""}),
        json!({"path_prefix": "/../"}),
        json!({"path_prefix": 7}),
        json!({"max_size": -1}),
        json!({"max_size": "9"}),
    ]
    .into_iter()
    .map(|changes| (changes.to_string(), signer.sign(&claims(&app, changes))))
    .collect();
    let good = claims(&app, json!({}));
    let whole = signer.sign(&good);
    let (message, signature) = whole.rsplit_once('.').expect("a signature");
    let payload = message.split('.').nth(1).expect("a payload");
    let other = Signer::of_secret("any", b"another secret that is just as long as it").sign(&good);
    let crit = Header {
        crit: Some(vec!["b64".into()]),
        ..Header::new(Algorithm::HS256)
    };
    let hs512 = signer.sign_with(&Header::new(Algorithm::HS512), &good);
    for (what, token) in [
        ("another secret", other),
        ("HS512", hs512),
        ("crit", signer.sign_with(&crit, &good)),
        ("no signature", format!("{message}.")),
        (
            "half a signature",
            format!("{message}.{}", &signature[..20]),
        ),
        ("one part more", format!("{whole}.{signature}")),
        ("none", raw(&json!({"alg": "none"}), &good, "")),
        (
            "None",
            raw(&json!({"alg": "None", "typ": "JWT"}), &good, ""),
        ),
        (
            "none, signed",
            raw(&json!({"alg": "none"}), &good, signature),
        ),
        ("no alg", raw(&json!({}), &good, signature)),
        (
            "other claims",
            raw(&json!({"alg": "HS256"}), &json!({"admin": true}), signature),
        ),
        (
            "no claims",
            raw(&json!({"alg": "HS256"}), &json!([]), signature),
        ),
        (
            "RS256",
            format!(
                "{}.{payload}.{signature}",
                URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#)
            ),
        ),
        ("dots", "..".into()),
        (
            "too long",
            format!("{}.{payload}.{signature}", "A".repeat(9000)),
        ),
    ] {
        bad.push((what.into(), token));
    }
    // The unmodified JWT is accepted, so the modifications cause the refusals.
    get_as(&app, &whole, "/uploads")
        .await
        .expect(StatusCode::OK);
    let operations = operations();
    for (at, (what, token)) in bad.iter().enumerate() {
        let reply = get_as(&app, token, "/uploads").await;
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{what}");
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}: {reply:#?}");
        let operation = &operations[at % operations.len()];
        let path = operation.path(&uuid::Uuid::now_v7().to_string(), "a.csv");
        let reply = send(&app, operation, &path, Some(token)).await;
        let problem = reply.expect_problem(401, "unauthenticated");
        assert!(problem.get("errors").is_none(), "{what}: {problem:#}");
    }
    let sql = app.sql().await;
    let tenants = sql.query_one("SELECT count(*) FROM tenants", &[]).await;
    let tenants: i64 = tenants.expect("a count").get(0);
    assert_eq!(tenants, 1, "a JWT made a tenant");
}

#[tokio::test]
async fn jwt_is_rejected_when_no_jwt_setting_is_present() {
    let app = App::start().await;
    let token = signer().sign(&claims(&app, json!({})));
    get_as(&app, &token, "/uploads")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn jwt_with_audience_is_rejected_when_broker_has_no_audience() {
    let app = Setup::new()
        .set("BROKER_JWT_HS256_SECRET", SECRET)
        .start()
        .await;
    for (changes, status) in [
        (json!({"aud": null}), 200),
        (json!({"aud": null, "iss": null}), 200),
        (json!({}), 401),
    ] {
        let reply = jwt_caller(&app, changes.clone()).get("/uploads").await;
        assert_eq!(reply.status.as_u16(), status, "{changes}: {reply:#?}");
    }
}

#[tokio::test]
async fn cached_jwt_is_rejected_after_its_expiry_and_leeway() {
    let app = setup().start().await;
    let end = app.clock.now().timestamp() + 60;
    let ada = jwt_caller(&app, json!({"exp": end}));
    ada.get("/uploads").await.expect(StatusCode::OK);
    let left =
        TimeDelta::seconds(end + 30) - TimeDelta::microseconds(app.clock.now().timestamp_micros());
    app.advance(left - TimeDelta::microseconds(1));
    ada.get("/uploads").await.expect(StatusCode::OK);
    app.advance(TimeDelta::microseconds(1));
    ada.get("/uploads")
        .await
        .expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn cached_jwt_and_tenant_need_no_query() {
    let gate = Gate::new(database::address());
    let app = setup().postgres(gate.addr()).start().await;
    app.bucket.put("a.csv", "x").await;
    let ada = jwt_caller(&app, json!({}));
    ada.get("/datasets").await.expect(StatusCode::OK);
    gate.close().await;
    ada.get("/datasets").await.expect(StatusCode::OK);
    // Another JWT of the cached tenant needs no query either; an uncached tenant does.
    let bob = jwt_caller(&app, json!({"sub": "bob"}));
    bob.get("/datasets").await.expect(StatusCode::OK);
    let stranger = jwt_caller(&app, json!({"tenant": "acme"}));
    stranger
        .get("/datasets")
        .await
        .expect_problem(503, "service-unavailable");
}

#[tokio::test]
async fn max_size_claim_applies_to_create_part_urls_and_acknowledge() {
    let app = setup().start().await;
    let ada = jwt_caller(&app, json!({"max_size": 10}));
    let bob = jwt_caller(&app, json!({}));
    let create = async |caller: &Caller, body: Value| post(caller, "/uploads", body).await;
    create(&ada, json!({"path": "/a", "size": 11}))
        .await
        .expect_problem(422, "size-limit-exceeded");
    create(&ada, json!({"path": "/a", "size": 10}))
        .await
        .expect(StatusCode::CREATED);

    // Without a declared size the object's size counts, whichever caller acknowledges it.
    let open = create(&ada, json!({"path": "/open"}))
        .await
        .expect(StatusCode::CREATED);
    ada.put(&open, "eleven byte").await.expect_ok();
    let path = format!("/uploads/{}/acknowledge", id(&open));
    let problem = post(&bob, &path, json!({"size": 11})).await;
    problem.expect_problem(422, "size-limit-exceeded");
    let open = create(&ada, json!({"path": "/fits"}))
        .await
        .expect(StatusCode::CREATED);
    ada.put(&open, "ten bytes!").await.expect_ok();
    ada.acknowledge(&open).await.expect(StatusCode::OK);

    // Part URLs of an upload without a declared size.
    let parts = create(&ada, json!({"path": "/parts", "multipart": true})).await;
    let parts = parts.expect(StatusCode::CREATED);
    let path = format!("/uploads/{}/parts", id(&parts));
    let ask = |size: u64| json!({"parts": [{"part_number": 1, "size": size}]});
    for caller in [&ada, &bob] {
        post(caller, &path, ask(11))
            .await
            .expect_problem(422, "invalid-request");
        post(caller, &path, ask(10)).await.expect(StatusCode::OK);
    }

    // The caller cannot continue a session of another caller that may be larger.
    for body in [
        json!({"path": "/large", "size": 11, "multipart": true}),
        json!({"path": "/larger", "multipart": true}),
    ] {
        let session = create(&bob, body).await.expect(StatusCode::CREATED);
        let (of, one) = (
            id(&session),
            json!({"parts": [{"part_number": 1, "size": 5}]}),
        );
        for reply in [
            post(&ada, &format!("/uploads/{of}/parts"), one).await,
            ada.get(&format!("/uploads/{of}?refresh_urls=true")).await,
            ada.acknowledge(&session).await,
        ] {
            reply.expect_problem(422, "size-limit-exceeded");
        }
        // The caller may read the session and cancel it.
        ada.get(&format!("/uploads/{of}"))
            .await
            .expect(StatusCode::OK);
        ada.post_empty(&format!("/uploads/{of}/cancel"))
            .await
            .expect(StatusCode::OK);
    }
}
