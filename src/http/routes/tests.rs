//! The routes and the document are two tables of the same thing.
//!
//! There is no broker behind these routes: a request that gets past the gate, the scope and the
//! route ends in a 500, which tells it apart from a 401, a 403, a 404 and a 405.

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
use crate::http::middleware::auth::Gate;
use crate::http::middleware::edge::edge;
use crate::http::openapi;
use crate::http::problem::Problem;
use crate::http::routes;

/// `(method, path, needed scopes)` of every operation in the document.
fn operations() -> Vec<(Method, String, Vec<Scope>)> {
    let document: Value = serde_json::from_str(&openapi::json()).expect("the document");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path
            .replace("{id}", openapi::examples::ID)
            .replace("{path}", "data/employees.csv")
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

/// The status of an answer to someone with these scopes, or to nobody.
async fn status(method: &Method, path: &str, scopes: Option<Vec<Scope>>) -> u16 {
    let gate = Gate::new(move |_| {
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
        .app_data(web::Data::new(gate))
        .wrap(from_fn(edge))
        .configure(routes::api)
        .configure(routes::docs)
        .configure(routes::metrics);
    let request = TestRequest::default().method(method.clone()).uri(path);
    let answer = init_service(app).await.call(request.to_request()).await;
    answer.expect("an answer").status().as_u16()
}

#[actix_web::test]
async fn every_operation_of_the_document_has_its_route() {
    for (method, path, _) in operations() {
        let found = status(&method, &path, Some(vec![Scope::Admin])).await;
        assert!(
            [200, 500].contains(&found),
            "{method} {path} answers {found}"
        );
    }
}

#[actix_web::test]
async fn every_other_method_is_refused_as_such() {
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
async fn every_operation_asks_for_exactly_the_scopes_that_it_names() {
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
