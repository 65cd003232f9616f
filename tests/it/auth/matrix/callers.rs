//! What each kind of caller sends as its credential.

use chrono::TimeDelta;
use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use upload_broker::usecases::identity::keys;

use super::{Operation, Scene, Who};
use crate::auth::issuer::{Signer, claims};
use crate::auth::tokens;
use crate::support::app::App;

/// How long an upload token lives here, in seconds.
const LIFE: i64 = 60;

/// An upload token that the holder of a key made.
pub(super) async fn mint(app: &App, maker: &str, scopes: &[Scope]) -> String {
    let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let body = json!({"scopes": scopes, "expires_in": LIFE});
    let made = tokens::ask(app, maker, body).await;
    let made = made.expect(StatusCode::CREATED);
    made["token"].as_str().expect("a token").to_owned()
}

async fn revoke(app: &App, id: uuid::Uuid) {
    let connection = upload_broker::store::pool::connect(app.database.url()).await;
    let mut connection = connection.expect("Postgres");
    let revoked = keys::revoke(&mut connection, &app.clock, id).await;
    assert!(revoked.expect("an answer"));
}

impl Scene {
    /// What such a caller sends as its token.
    pub(super) async fn token(&mut self, who: Who, operation: &Operation) -> Option<String> {
        let scope = operation.scope;
        let right: Vec<Scope> = std::iter::once(scope)
            .chain(operation.also.iter().copied())
            .collect();
        let name = format!("{who:?} {right:?}");
        if let Some(key) = self.keys.get(&name) {
            return key.clone();
        }
        let app = &self.app;
        let issue = async |tenant: &str, scopes: &[Scope]| {
            let (_, key) = app.issue_key(tenant, scopes, None).await;
            Some(key)
        };
        let jwt =
            |changes: Value| Some(Signer::new("any", Algorithm::HS256).sign(&claims(app, changes)));
        let past = app.clock.now().timestamp() - 31;
        let key = match who {
            Who::Nobody => None,
            Who::SomethingElseThanAKey => Some("nonsense".to_owned()),
            Who::AKeyThatNobodyMade => Some(format!("ubk_{}", "A".repeat(43))),
            Who::AnExpiredKey => {
                let end = app.clock.now() + TimeDelta::seconds(1);
                let (_, key) = app.issue_key("default", &Scope::ALL, Some(end)).await;
                app.advance(TimeDelta::seconds(1));
                Some(key)
            }
            Who::ARevokedKey => {
                let (id, key) = app.issue_key("default", &Scope::ALL, None).await;
                revoke(app, id).await;
                Some(key)
            }
            Who::AnExpiredJwt => jwt(json!({"exp": past})),
            Who::AJwtOfAnotherSecret => {
                let other = Signer::of_secret("any", b"another secret that is just as long as it");
                Some(other.sign(&claims(app, json!({}))))
            }
            Who::AJwtOfNoAlgorithm => {
                let header = json!({"alg": "none"});
                Some(crate::auth::jwt::raw(&header, &claims(app, json!({})), ""))
            }
            Who::AKeyOfADisabledTenant => Some(self.closed.clone()),
            Who::AJwtOfADisabledTenant => jwt(json!({"tenant": "closed"})),
            Who::AJwtWithTheRightScope => {
                let names: Vec<_> = right.iter().map(|scope| scope.as_str()).collect();
                jwt(json!({"scope": names.join(" ")}))
            }
            Who::AForgedUploadToken => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let good = mint(app, &maker, &Scope::FOR_TOKENS).await;
                let (payload, mac) = good.split_once('.').expect("a dot");
                Some(format!("{payload}.{}", "A".repeat(mac.len())))
            }
            Who::AnEndedUploadToken => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let token = mint(app, &maker, &Scope::FOR_TOKENS).await;
                app.advance(TimeDelta::seconds(LIFE));
                Some(token)
            }
            Who::AnUploadTokenOfARevokedKey => {
                let (id, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let token = mint(app, &maker, &Scope::FOR_TOKENS).await;
                revoke(app, id).await;
                Some(token)
            }
            Who::AnUploadTokenOfADisabledTenant => Some(self.closed_token.clone()),
            Who::AnUploadTokenOfAnotherTenant => {
                let (_, maker) = app.issue_key("acme", &Scope::ALL, None).await;
                Some(mint(app, &maker, &Scope::FOR_TOKENS).await)
            }
            Who::AnUploadTokenWithTheRightScope => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                // None has the scope of operators: then it has all others.
                let scopes: &[Scope] = match scope {
                    Scope::Admin => &Scope::FOR_TOKENS,
                    _ => &right,
                };
                Some(mint(app, &maker, scopes).await)
            }
            Who::AnUploadTokenWithEveryOtherScope => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let others = Scope::FOR_TOKENS.into_iter().filter(|one| *one != scope);
                Some(mint(app, &maker, &others.collect::<Vec<_>>()).await)
            }
            Who::EveryScopeButTheRightOne => {
                let others = Scope::ALL.into_iter();
                let others = others.filter(|one| *one != scope && *one != Scope::Admin);
                issue("default", &others.collect::<Vec<_>>()).await
            }
            Who::AnotherTenant => issue("acme", &Scope::ALL).await,
            Who::TheRightScope => issue("default", &right).await,
            Who::Admin => issue("default", &[Scope::Admin]).await,
        };
        self.keys.insert(name, key.clone());
        key
    }
}
