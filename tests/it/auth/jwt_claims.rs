//! JWTs whose issuer uses other claim names.

use reqwest::StatusCode;
use serde_json::json;

use super::jwt::{jwt_caller, post, setup};

#[tokio::test]
async fn tenant_and_scopes_are_read_from_configured_claims() {
    let usual = setup().start().await;
    for changes in [
        json!({"scope": ["openid", "uploads:read"]}),
        json!({"scope": null, "scp": ["uploads:read"]}),
        json!({"scope": null, "scp": "openid uploads:read"}),
        json!({"scope": null, "permissions": ["uploads:read"]}),
    ] {
        let holder = jwt_caller(&usual, changes.clone());
        let reply = holder.get("/uploads").await;
        assert_eq!(reply.status, StatusCode::OK, "{changes}: {reply:#?}");
        // It has only that scope.
        let reply = holder.get("/datasets").await;
        reply.expect_problem(403, "insufficient-scope");
    }
    let named = setup()
        .set("BROKER_JWT_SCOPE_CLAIM", "realm_access.roles")
        .set("BROKER_JWT_TENANT_CLAIM", "https://example.com/tenant")
        .start()
        .await;
    let elsewhere = json!({"scope": "uploads:write", "tenant": null,
        "https://example.com/tenant": "default", "realm_access": {"roles": ["uploads:read"]}});
    let ada = jwt_caller(&named, elsewhere);
    ada.get("/uploads").await.expect(StatusCode::OK);
    let reply = post(&ada, "/uploads", json!({"path": "/a"})).await;
    reply.expect_problem(403, "insufficient-scope");
    // The default claims are not read in addition to the configured ones.
    let usual = jwt_caller(&named, json!({}));
    let reply = usual.get("/uploads").await;
    reply.expect_problem(401, "unauthenticated");
}
