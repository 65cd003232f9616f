//! The routes and the OpenAPI document agree.
//!
//! There is no broker behind these routes. A request that passes authentication, scopes and routing
//! ends in a 500, which distinguishes it from a 401, 403, 404 and 405.

use std::sync::Arc;

use actix_web::dev::Service as _;
use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, web};
use futures::FutureExt as _;
use serde_json::Value;

use crate::domain::bounds::Bounds;
use crate::domain::jail::Jail;
use crate::domain::principal::{Credential, Principal, Scope};
use crate::http::middleware::auth::Authenticator;
use crate::http::middleware::edge::edge;
use crate::http::openapi;
use crate::http::problem::Problem;
use crate::http::routes;

/// `(method, path, required scopes)` of each operation in the document.
fn operations() -> Vec<(Method, String, Vec<Scope>)> {
    let document: Value = serde_json::from_str(&openapi::json()).expect("the document");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path
            .replace("{id}", openapi::examples::ID)
            .replace("{path}", "data/employees.csv")
            .replace("{uploadId}", "UP%2F%2B%3D1")
            .replace("{partNumber}", "1")
            .replace("{code}", "not-found");
        for (method, operation) in item.as_object().expect("an item") {
            let method = method.to_uppercase().parse().expect("a method");
            let scopes = operation["security"][0]["bearer"].as_array();
            let scopes = scopes.into_iter().flatten().map(|scope| {
                let scope = scope.as_str().expect("a scope");
                scope.parse().expect("a scope")
            });
            all.push((method, path.clone(), scopes.collect()));
        }
    }
    all
}

/// The status of a response to a caller with these scopes, or without a credential.
async fn status(method: &Method, path: &str, scopes: Option<Vec<Scope>>) -> u16 {
    let authenticator = Authenticator::new(move |_| {
        let principal = scopes.clone().map(|scopes| Principal {
            tenant: "default".into(),
            jail: Jail::new("", vec![]),
            policy: Arc::default(),
            scopes,
            key_id: None,
            credential: Credential::AuthenticationOff,
            bounds: Bounds::default(),
        });
        let answer = principal.map(Arc::new).ok_or_else(Problem::unauthenticated);
        async { answer }.boxed_local()
    });
    let app = App::new()
        .app_data(web::Data::new(authenticator))
        .wrap(from_fn(edge))
        .configure(routes::api)
        .configure(routes::docs)
        .configure(routes::metrics);
    let request = TestRequest::default().method(method.clone()).uri(path);
    let answer = init_service(app).await.call(request.to_request()).await;
    answer.expect("an answer").status().as_u16()
}

#[actix_web::test]
async fn every_documented_operation_has_a_route() {
    for (method, path, _) in operations() {
        let found = status(&method, &path, Some(vec![Scope::Admin])).await;
        assert!([200, 500].contains(&found), "{method} {path}: {found}");
    }
}

#[actix_web::test]
async fn undocumented_methods_get_405() {
    let operations = operations();
    for (_, path, _) in &operations {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::PUT] {
            let is_documented =
                (operations.iter()).any(|(known, at, _)| known == method && at == path);
            if !is_documented {
                let found = status(&method, path, Some(vec![Scope::Admin])).await;
                assert_eq!(found, 405, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn every_operation_requires_exactly_its_documented_scopes() {
    for (method, path, scopes) in operations() {
        if scopes.is_empty() {
            continue;
        }
        assert_eq!(status(&method, &path, None).await, 401, "{method} {path}");
        for needed in &scopes {
            let others: Vec<_> = Scope::ALL
                .into_iter()
                .filter(|scope| scope != needed && *scope != Scope::Admin)
                .collect();
            let found = status(&method, &path, Some(others)).await;
            assert_eq!(found, 403, "{method} {path} without {needed}");
        }
        let found = status(&method, &path, Some(scopes.clone())).await;
        assert_eq!(found, 500, "{method} {path} with {scopes:?}");
    }
}
