//! The credential of each kind of caller.

use chrono::TimeDelta;
use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;
use upload_broker::usecases::identity::keys;

use super::{CallerKind, Operation, Scene};
use crate::auth::issuer::{Signer, claims};
use crate::auth::tokens;
use crate::support::app::App;

/// The lifetime of an upload token in these tests, in seconds.
const LIFE: i64 = 60;

/// Issues an upload token with the given key.
pub(super) async fn issue_token(app: &App, maker: &str, scopes: &[Scope]) -> String {
    let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let body = json!({"scopes": scopes, "expires_in": LIFE});
    let made = tokens::request_token(app, maker, body).await;
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
    /// The credential of this kind of caller for this operation.
    pub(super) async fn token(&mut self, who: CallerKind, operation: &Operation) -> Option<String> {
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
            CallerKind::NoCredential => None,
            CallerKind::MalformedCredential => Some("nonsense".to_owned()),
            CallerKind::UnknownKey => Some(format!("ubk_{}", "A".repeat(43))),
            CallerKind::ExpiredKey => {
                let end = app.clock.now() + TimeDelta::seconds(1);
                let (_, key) = app.issue_key("default", &Scope::ALL, Some(end)).await;
                app.advance(TimeDelta::seconds(1));
                Some(key)
            }
            CallerKind::RevokedKey => {
                let (id, key) = app.issue_key("default", &Scope::ALL, None).await;
                revoke(app, id).await;
                Some(key)
            }
            CallerKind::ExpiredJwt => jwt(json!({"exp": past})),
            CallerKind::JwtOfAnotherSecret => {
                let other = Signer::of_secret("any", b"another secret that is just as long as it");
                Some(other.sign(&claims(app, json!({}))))
            }
            CallerKind::JwtOfAlgorithmNone => {
                let header = json!({"alg": "none"});
                Some(crate::auth::jwt::raw(&header, &claims(app, json!({})), ""))
            }
            CallerKind::KeyOfDisabledTenant => Some(self.closed.clone()),
            CallerKind::JwtOfDisabledTenant => jwt(json!({"tenant": "closed"})),
            CallerKind::JwtWithRequiredScope => {
                let names: Vec<_> = right.iter().map(|scope| scope.as_str()).collect();
                jwt(json!({"scope": names.join(" ")}))
            }
            CallerKind::ForgedUploadToken => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let good = issue_token(app, &maker, &Scope::FOR_TOKENS).await;
                let (payload, mac) = good.split_once('.').expect("a dot");
                Some(format!("{payload}.{}", "A".repeat(mac.len())))
            }
            CallerKind::ExpiredUploadToken => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let token = issue_token(app, &maker, &Scope::FOR_TOKENS).await;
                app.advance(TimeDelta::seconds(LIFE));
                Some(token)
            }
            CallerKind::UploadTokenOfRevokedKey => {
                let (id, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let token = issue_token(app, &maker, &Scope::FOR_TOKENS).await;
                revoke(app, id).await;
                Some(token)
            }
            CallerKind::UploadTokenOfDisabledTenant => Some(self.closed_token.clone()),
            CallerKind::UploadTokenOfAnotherTenant => {
                let (_, maker) = app.issue_key("acme", &Scope::ALL, None).await;
                Some(issue_token(app, &maker, &Scope::FOR_TOKENS).await)
            }
            CallerKind::UploadTokenWithRequiredScope => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                // No upload token can have the scope of operators; use all other scopes then.
                let scopes: &[Scope] = match scope {
                    Scope::Admin => &Scope::FOR_TOKENS,
                    _ => &right,
                };
                Some(issue_token(app, &maker, scopes).await)
            }
            CallerKind::UploadTokenWithoutRequiredScope => {
                let (_, maker) = app.issue_key("default", &Scope::ALL, None).await;
                let others = Scope::FOR_TOKENS.into_iter().filter(|one| *one != scope);
                Some(issue_token(app, &maker, &others.collect::<Vec<_>>()).await)
            }
            CallerKind::KeyWithoutRequiredScope => {
                let others = Scope::ALL.into_iter();
                let others = others.filter(|one| *one != scope && *one != Scope::Admin);
                issue("default", &others.collect::<Vec<_>>()).await
            }
            CallerKind::KeyOfAnotherTenant => issue("acme", &Scope::ALL).await,
            CallerKind::KeyWithRequiredScope => issue("default", &right).await,
            CallerKind::Admin => issue("default", &[Scope::Admin]).await,
        };
        self.keys.insert(name, key.clone());
        key
    }
}
