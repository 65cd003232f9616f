//! Every operation of the document, asked by everyone: each row of the table is one kind of caller
//! and what all operations answer it.

mod callers;

use std::collections::HashMap;

use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{Operation, operations};
use crate::support::app::{App, id};
use crate::support::reply::Reply;
use callers::mint;

/// A kind of caller.
#[derive(Clone, Copy, Debug)]
enum Who {
    Nobody,
    SomethingElseThanAKey,
    AKeyThatNobodyMade,
    AnExpiredKey,
    ARevokedKey,
    AnExpiredJwt,
    AJwtOfAnotherSecret,
    AJwtOfNoAlgorithm,
    AKeyOfADisabledTenant,
    AJwtOfADisabledTenant,
    AForgedUploadToken,
    AnEndedUploadToken,
    AnUploadTokenOfARevokedKey,
    AnUploadTokenOfADisabledTenant,
    EveryScopeButTheRightOne,
    AnUploadTokenWithEveryOtherScope,
    AnotherTenant,
    AnUploadTokenOfAnotherTenant,
    TheRightScope,
    AJwtWithTheRightScope,
    AnUploadTokenWithTheRightScope,
    Admin,
}

/// What an operation answers.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// 401, whatever the rest of the request is like.
    WhoAreYou,
    /// 403, naming the scope, whatever the rest of the request is like.
    YouMayNot,
    /// As if what it names were not there; a list is the caller's own.
    NotThere,
    /// Whatever the operation itself says.
    ComeIn,
}

const MATRIX: [(Who, Answer); 22] = [
    (Who::Nobody, Answer::WhoAreYou),
    (Who::SomethingElseThanAKey, Answer::WhoAreYou),
    (Who::AKeyThatNobodyMade, Answer::WhoAreYou),
    (Who::AnExpiredKey, Answer::WhoAreYou),
    (Who::ARevokedKey, Answer::WhoAreYou),
    (Who::AnExpiredJwt, Answer::WhoAreYou),
    (Who::AJwtOfAnotherSecret, Answer::WhoAreYou),
    (Who::AJwtOfNoAlgorithm, Answer::WhoAreYou),
    (Who::AKeyOfADisabledTenant, Answer::WhoAreYou),
    (Who::AJwtOfADisabledTenant, Answer::WhoAreYou),
    (Who::AForgedUploadToken, Answer::WhoAreYou),
    (Who::AnEndedUploadToken, Answer::WhoAreYou),
    (Who::AnUploadTokenOfARevokedKey, Answer::WhoAreYou),
    (Who::AnUploadTokenOfADisabledTenant, Answer::WhoAreYou),
    (Who::EveryScopeButTheRightOne, Answer::YouMayNot),
    (Who::AnUploadTokenWithEveryOtherScope, Answer::YouMayNot),
    (Who::AnotherTenant, Answer::NotThere),
    (Who::AnUploadTokenOfAnotherTenant, Answer::NotThere),
    (Who::TheRightScope, Answer::ComeIn),
    (Who::AJwtWithTheRightScope, Answer::ComeIn),
    (Who::AnUploadTokenWithTheRightScope, Answer::ComeIn),
    (Who::Admin, Answer::ComeIn),
];

/// A broker with an upload of each kind, and the keys of everyone.
struct Scene {
    app: App,
    pending: Value,
    uploaded: Value,
    /// The key of a disabled tenant, and an upload token.
    closed: String,
    closed_token: String,
    /// By who has it, and for which scope.
    keys: HashMap<String, Option<String>>,
}

impl Scene {
    async fn new() -> Scene {
        let app = super::jwt::setup().start().await;
        // A key of its own tenant, which was made and closed before anybody asked.
        let (_, closed) = app.issue_key("closed", &Scope::ALL, None).await;
        let (_, maker) = app.issue_key("closed", &Scope::ALL, None).await;
        let closed_token = mint(&app, &maker, &Scope::FOR_TOKENS).await;
        let sql = app.sql().await;
        let close = "UPDATE tenants SET disabled_at = now() WHERE name = 'closed'";
        sql.batch_execute(close).await.expect("a closed tenant");
        Scene {
            closed,
            closed_token,
            pending: app.create("/ours/p.csv", json!({})).await,
            uploaded: app.upload("/ours/u.csv", "x", json!({})).await,
            app,
            keys: HashMap::new(),
        }
    }

    /// Sends an operation to `path`, with `body`.
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

    /// Asks an operation as such a caller, and holds the answer to what it must be.
    async fn ask(&mut self, operation: &Operation, who: Who, answer: Answer) {
        let answer = match (who, operation.scope) {
            // No upload token has the scope of operators.
            (
                Who::AnUploadTokenOfAnotherTenant | Who::AnUploadTokenWithTheRightScope,
                Scope::Admin,
            ) => Answer::YouMayNot,
            _ => answer,
        };
        let token = self.token(who, operation).await;
        let token = token.as_deref();
        let good = operation.path(id(&self.pending), "ours/u.csv");
        let good_body = operation.example.as_ref().map(Value::to_string);
        let told = |reply: &Reply| format!("{who:?}: {} {good}: {reply:#?}", operation.method);
        match answer {
            Answer::WhoAreYou | Answer::YouMayNot => {
                // Neither a good request nor a broken one tells anything apart.
                let bad_body = operation.example.is_some().then_some("{");
                for path in [&good, &operation.path("x", "a%00b")] {
                    for body in [good_body.as_deref(), bad_body] {
                        let reply = self.send(operation, path, token, body).await;
                        refused(operation, answer, &reply, &told(&reply));
                        // An upload token may travel in the path too.
                        let token = token.filter(|token| token.starts_with("ubt_"));
                        if let Some(token) = token {
                            let path = format!("/t/{token}{path}");
                            let reply = self.send(operation, &path, None, body).await;
                            refused(operation, answer, &reply, &told(&reply));
                        }
                    }
                }
            }
            Answer::NotThere => {
                let reply = self
                    .send(operation, &good, token, good_body.as_deref())
                    .await;
                let told = told(&reply);
                if operation.template.contains('{') {
                    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{told}");
                } else {
                    assert!(reply.status.is_success(), "{told}");
                }
                assert!(!reply.body.contains(id(&self.uploaded)), "{told}");
                let shows = operation.template.contains('{') || !reply.body.contains("/ours/");
                assert!(shows, "{told}");
            }
            Answer::ComeIn => {
                let reply = self
                    .send(operation, &good, token, good_body.as_deref())
                    .await;
                let status = reply.status.as_u16();
                let kept_out = matches!(status, 401 | 403 | 404 | 405) || status >= 500;
                assert!(!kept_out, "{}", told(&reply));
            }
        }
    }
}

#[track_caller]
fn refused(operation: &Operation, answer: Answer, reply: &Reply, told: &str) {
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    let (status, code) = match answer {
        Answer::WhoAreYou => (401, "unauthenticated"),
        _ => (403, "insufficient-scope"),
    };
    if status == 401 {
        assert_eq!(challenge, "Bearer", "{told}");
    } else {
        assert!(challenge.contains("insufficient_scope"), "{told}");
        assert!(challenge.contains(operation.scope.as_str()), "{told}");
    }
    let problem = reply.json();
    assert_eq!(reply.status.as_u16(), status, "{told}");
    assert_eq!(problem["code"], code, "{told}");
    assert!(problem.get("errors").is_none(), "{told}");
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
        (MATRIX.into_iter()).partition(|(_, answer)| matches!(answer, Answer::ComeIn));
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
            // Each finds an upload of each kind, whatever the one before has done.
            let replace = json!({"overwrite": true});
            scene.pending = scene.app.create("/ours/p.csv", replace.clone()).await;
            scene.uploaded = scene.app.upload("/ours/u.csv", "x", replace).await;
            scene.ask(operation, who, answer).await;
        }
    }
}
