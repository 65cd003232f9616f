//! Every operation of the document is called by every kind of caller. Each row of the table is one
//! kind of caller and what every operation answers to it.

mod callers;

use std::collections::HashMap;

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{NO_S3_UPLOAD, Operation, operations};
use crate::support::app::{App, id};
use crate::support::reply::Reply;
use callers::issue_token;

/// A kind of caller.
#[derive(Clone, Copy, Debug)]
enum CallerKind {
    NoCredential,
    MalformedCredential,
    UnknownKey,
    ExpiredKey,
    RevokedKey,
    ExpiredJwt,
    JwtOfAnotherSecret,
    JwtOfAlgorithmNone,
    KeyOfDisabledTenant,
    JwtOfDisabledTenant,
    ForgedUploadToken,
    ExpiredUploadToken,
    UploadTokenOfRevokedKey,
    UploadTokenOfDisabledTenant,
    KeyWithoutRequiredScope,
    UploadTokenWithoutRequiredScope,
    KeyOfAnotherTenant,
    UploadTokenOfAnotherTenant,
    KeyWithRequiredScope,
    JwtWithRequiredScope,
    UploadTokenWithRequiredScope,
    Admin,
}

/// What an operation answers.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// 401, whatever the rest of the request is like.
    Unauthenticated,
    /// 403, naming the scope, whatever the rest of the request is like.
    InsufficientScope,
    /// 404, as if the named resource did not exist; a list shows only the caller's own.
    NotFound,
    /// The operation runs and answers by itself.
    Admitted,
}

const MATRIX: [(CallerKind, Answer); 22] = [
    (CallerKind::NoCredential, Answer::Unauthenticated),
    (CallerKind::MalformedCredential, Answer::Unauthenticated),
    (CallerKind::UnknownKey, Answer::Unauthenticated),
    (CallerKind::ExpiredKey, Answer::Unauthenticated),
    (CallerKind::RevokedKey, Answer::Unauthenticated),
    (CallerKind::ExpiredJwt, Answer::Unauthenticated),
    (CallerKind::JwtOfAnotherSecret, Answer::Unauthenticated),
    (CallerKind::JwtOfAlgorithmNone, Answer::Unauthenticated),
    (CallerKind::KeyOfDisabledTenant, Answer::Unauthenticated),
    (CallerKind::JwtOfDisabledTenant, Answer::Unauthenticated),
    (CallerKind::ForgedUploadToken, Answer::Unauthenticated),
    (CallerKind::ExpiredUploadToken, Answer::Unauthenticated),
    (CallerKind::UploadTokenOfRevokedKey, Answer::Unauthenticated),
    (
        CallerKind::UploadTokenOfDisabledTenant,
        Answer::Unauthenticated,
    ),
    (
        CallerKind::KeyWithoutRequiredScope,
        Answer::InsufficientScope,
    ),
    (
        CallerKind::UploadTokenWithoutRequiredScope,
        Answer::InsufficientScope,
    ),
    (CallerKind::KeyOfAnotherTenant, Answer::NotFound),
    (CallerKind::UploadTokenOfAnotherTenant, Answer::NotFound),
    (CallerKind::KeyWithRequiredScope, Answer::Admitted),
    (CallerKind::JwtWithRequiredScope, Answer::Admitted),
    (CallerKind::UploadTokenWithRequiredScope, Answer::Admitted),
    (CallerKind::Admin, Answer::Admitted),
];

/// A broker with a pending and a finished upload, and the credentials of every kind of caller.
struct Scene {
    app: App,
    pending: Value,
    uploaded: Value,
    /// An upload in parts of an Uppy client.
    parts: Value,
    /// The key and an upload token of a disabled tenant.
    closed: String,
    closed_token: String,
    /// The credential for each kind of caller and set of scopes.
    keys: HashMap<String, Option<String>>,
}

impl Scene {
    async fn new() -> Scene {
        let app = super::jwt::setup().start().await;
        // A tenant that was disabled before its key was used for the first time.
        let (_, closed) = app.issue_key("closed", &Scope::ALL, None).await;
        let (_, maker) = app.issue_key("closed", &Scope::ALL, None).await;
        let closed_token = issue_token(&app, &maker, &Scope::FOR_TOKENS).await;
        let sql = app.sql().await;
        let close = "UPDATE tenants SET disabled_at = now() WHERE name = 'closed'";
        sql.batch_execute(close).await.expect("a closed tenant");
        Scene {
            closed,
            closed_token,
            pending: app.create("/ours/p.csv", json!({})).await,
            uploaded: app.upload("/ours/u.csv", "x", json!({})).await,
            parts: Self::begin_parts(&app).await,
            app,
            keys: HashMap::new(),
        }
    }

    /// Creates an upload in parts as an Uppy client does.
    async fn begin_parts(app: &App) -> Value {
        let file = json!({"filename": "u.bin", "type": "text/plain"});
        app.post("/s3/multipart", file).await.expect(StatusCode::OK)
    }

    /// The path of an operation of Uppy, for the upload that the scene has.
    fn path_of_uppy(&self, path: &str) -> String {
        let text = |name: &str| self.parts[name].as_str().expect("a text").to_owned();
        let path = path.replace(NO_S3_UPLOAD, &text("uploadId"));
        path.replace("in/photo.jpg", &text("key"))
    }

    /// Calls an operation at `path` with `body`.
    async fn send(
        &self,
        operation: &Operation,
        path: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> Reply {
        let url = format!("{}{path}", self.app.url);
        let mut request = self.app.http.request(operation.method.clone(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            let request = request.header("content-type", "application/json");
            return Reply::of(request.body(body.to_owned())).await;
        }
        Reply::of(request).await
    }

    /// Calls an operation as this kind of caller and checks the answer.
    async fn ask(&mut self, operation: &Operation, who: CallerKind, answer: Answer) {
        let answer = match (who, operation.scope) {
            _ if operation.is_for_any_credential && matches!(answer, Answer::InsufficientScope) => {
                Answer::Admitted
            }
            // No upload token has the scope of operators.
            (
                CallerKind::UploadTokenOfAnotherTenant | CallerKind::UploadTokenWithRequiredScope,
                Scope::Admin,
            ) => Answer::InsufficientScope,
            _ => answer,
        };
        let token = self.token(who, operation).await;
        let token = token.as_deref();
        let good = operation.path(id(&self.pending), "ours/u.csv");
        let good = match operation.template.contains("{uploadId}") {
            true => self.path_of_uppy(&good),
            false => good,
        };
        let good_body = operation.example.as_ref().map(Value::to_string);
        let context = |reply: &Reply| format!("{who:?}: {} {good}: {reply:#?}", operation.method);
        match answer {
            Answer::Unauthenticated | Answer::InsufficientScope => {
                // Valid and invalid requests get the same refusal.
                let bad_body = operation.example.is_some().then_some("{");
                for path in [&good, &operation.path("x", "a%00b")] {
                    for body in [good_body.as_deref(), bad_body] {
                        let reply = self.send(operation, path, token, body).await;
                        assert_refused(operation, answer, &reply, &context(&reply));
                        // An upload token may travel in the path too.
                        let token = token.filter(|token| token.starts_with("ubt_"));
                        if let Some(token) = token {
                            let path = format!("/t/{token}{path}");
                            let reply = self.send(operation, &path, None, body).await;
                            assert_refused(operation, answer, &reply, &context(&reply));
                        }
                    }
                }
            }
            Answer::NotFound => {
                let reply = self
                    .send(operation, &good, token, good_body.as_deref())
                    .await;
                let context = context(&reply);
                if operation.template.contains('{') {
                    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{context}");
                } else {
                    assert!(reply.status.is_success(), "{context}");
                }
                assert!(!reply.body.contains(id(&self.uploaded)), "{context}");
                let shows = operation.template.contains('{') || !reply.body.contains("/ours/");
                assert!(shows, "{context}");
            }
            Answer::Admitted => {
                let reply = self
                    .send(operation, &good, token, good_body.as_deref())
                    .await;
                let status = reply.status.as_u16();
                let kept_out = matches!(status, 401 | 403 | 404 | 405) || status >= 500;
                assert!(!kept_out, "{}", context(&reply));
            }
        }
    }
}

#[track_caller]
fn assert_refused(operation: &Operation, answer: Answer, reply: &Reply, context: &str) {
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    let (status, code) = match answer {
        Answer::Unauthenticated => (401, "unauthenticated"),
        _ => (403, "insufficient-scope"),
    };
    if status == 401 {
        assert_eq!(challenge, "Bearer", "{context}");
    } else {
        assert!(challenge.contains("insufficient_scope"), "{context}");
        assert!(challenge.contains(operation.scope.as_str()), "{context}");
    }
    let problem = reply.json();
    assert_eq!(reply.status.as_u16(), status, "{context}");
    assert_eq!(problem["code"], code, "{context}");
    assert!(problem.get("errors").is_none(), "{context}");
}

#[tokio::test]
async fn every_operation_answers_each_kind_of_caller_as_the_table_says() {
    let mut scene = Scene::new().await;
    let before = (
        scene.app.read(&scene.pending).await,
        scene.app.read(&scene.uploaded).await,
    );
    let operations = operations();
    let (let_in, refused): (Vec<_>, Vec<_>) =
        (MATRIX.into_iter()).partition(|(_, answer)| matches!(answer, Answer::Admitted));
    for (who, answer) in refused {
        for operation in &operations {
            scene.ask(operation, who, answer).await;
        }
    }
    let app = &scene.app;
    let after = (
        app.read(&scene.pending).await,
        app.read(&scene.uploaded).await,
    );
    assert_eq!(
        before, after,
        "somebody who was refused has changed something"
    );
    for (who, answer) in let_in {
        for operation in &operations {
            // Each call finds a pending and a finished upload, whatever the call before did.
            let replace = json!({"overwrite": true});
            scene.pending = scene.app.create("/ours/p.csv", replace.clone()).await;
            scene.uploaded = scene.app.upload("/ours/u.csv", "x", replace).await;
            scene.parts = Scene::begin_parts(&scene.app).await;
            scene.ask(operation, who, answer).await;
        }
    }
}
