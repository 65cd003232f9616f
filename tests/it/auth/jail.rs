//! A tenant is confined to its key prefix: no prefix, path or cursor leads out of it.

use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::get_as;
use crate::support::app::{App, id};
use crate::support::reply::Reply;

/// A broker whose bucket holds objects of several tenants, and a key of `acme`.
async fn app_with_several_tenants() -> (App, String) {
    let app = App::start().await;
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    app.issue_key("acme2", &Scope::ALL, None).await;
    for key in [
        "acme/in.csv",
        "acme/deep/in.csv",
        "acme2/other.csv",
        "acme.csv",
        "zoo/ours.csv",
    ] {
        app.bucket.put(key, key).await;
    }
    (app, acme)
}

fn paths(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("an array");
    list.iter()
        .map(|entry| entry["path"].as_str().expect("a path"))
        .collect()
}

#[tokio::test]
async fn list_prefix_never_leaves_tenant_prefix() {
    let (app, acme) = app_with_several_tenants().await;
    for (query, expected) in [
        ("", vec!["/deep/in.csv", "/in.csv"]),
        ("?prefix=/", vec!["/deep/in.csv", "/in.csv"]),
        ("?delimiter=/", vec!["/deep/", "/in.csv"]),
        ("?prefix=2/", vec![]),
        ("?prefix=../", vec![]),
        ("?prefix=/../acme2/", vec![]),
        ("?prefix=//", vec![]),
        ("?prefix=%2F..%2F", vec![]),
        ("?prefix=acme2/", vec![]),
        ("?prefix=/zoo/", vec![]),
    ] {
        for accept in ["application/json", "application/x-ndjson"] {
            let request = app.http.get(format!("{}/datasets{query}", app.url));
            let request = request.bearer_auth(&acme).header("accept", accept);
            let reply = Reply::of(request).await.expect_ok();
            let list = if accept == "application/json" {
                reply.json()
            } else {
                let lines = reply
                    .body
                    .lines()
                    .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
                lines.collect()
            };
            assert_eq!(paths(&list), expected, "{query}");
        }
    }
}

#[tokio::test]
async fn dataset_path_never_leaves_tenant_prefix() {
    let (app, acme) = app_with_several_tenants().await;
    for path in [
        "zoo/ours.csv",
        "acme2/other.csv",
        "acme.csv",
        "2/other.csv",
        "acme/in.csv",
    ] {
        for tail in ["", "/action/download"] {
            let reply = get_as(&app, &acme, &format!("/datasets/{path}{tail}")).await;
            reply.expect_problem(404, "dataset-not-found");
        }
        let url = format!("{}/datasets/{path}?force=true", app.url);
        let reply = Reply::of(app.http.delete(url).bearer_auth(&acme)).await;
        reply.expect_problem(404, "dataset-not-found");
    }
    for path in ["..%2Facme2/other.csv", "a%2F..%2F..%2Fzoo%2Fours.csv"] {
        let reply = get_as(&app, &acme, &format!("/datasets/{path}")).await;
        reply.expect_problem(422, "invalid-request");
    }
    let own = get_as(&app, &acme, "/datasets/in.csv")
        .await
        .expect(StatusCode::OK);
    assert_eq!(own["path"], "/in.csv", "{own:#}");
    assert_eq!(app.bucket.get("acme2/other.csv").await, b"acme2/other.csv");
}

#[tokio::test]
async fn cursor_of_another_tenant_never_leaves_tenant_prefix() {
    let (app, acme) = app_with_several_tenants().await;
    app.bucket.put("zoo/second.csv", "x").await;
    // The default tenant's cursor points before its `zoo/`, which is outside of acme's prefix.
    for first in [
        "/datasets?limit=1",
        "/datasets?limit=2",
        "/datasets?limit=1&prefix=/zoo/",
    ] {
        let page = app.get(first).await;
        let link = page.header("link").expect("a next page").to_owned();
        let next = link
            .trim_start_matches('<')
            .split('>')
            .next()
            .expect("a path");
        let reply = get_as(&app, &acme, next).await;
        if reply.status == StatusCode::OK {
            let list = reply.json();
            for path in paths(&list) {
                assert!(["/deep/in.csv", "/in.csv"].contains(&path), "{list:#}");
            }
        } else {
            reply.expect_problem(422, "invalid-request");
        }
    }
}

#[tokio::test]
async fn default_tenant_does_not_see_objects_of_other_tenants() {
    let (app, _) = app_with_several_tenants().await;
    for (query, expected) in [
        ("", vec!["/acme.csv", "/zoo/ours.csv"]),
        ("?delimiter=/", vec!["/acme.csv", "/zoo/"]),
        ("?prefix=/acme", vec!["/acme.csv"]),
        ("?prefix=/acme/", vec![]),
        ("?prefix=/acme/deep/&delimiter=/", vec![]),
        ("?prefix=/acme2&delimiter=/", vec![]),
    ] {
        let list = app.get(&format!("/datasets{query}")).await;
        assert_eq!(paths(&list.expect(StatusCode::OK)), expected, "{query}");
    }
    for path in ["acme/in.csv", "acme2/other.csv"] {
        for tail in ["", "/action/download"] {
            let reply = app.get(&format!("/datasets/{path}{tail}")).await;
            reply.expect_problem(404, "dataset-not-found");
        }
        let reply = app.post("/uploads", json!({"path": path})).await;
        let problem = reply.expect_problem(422, "invalid-request");
        assert_eq!(problem["errors"][0]["pointer"], "/path", "{problem:#}");
    }
}

/// A tenant is created whose prefix the default tenant has used. From then on the prefix belongs to
/// the new tenant, and older sessions give no access to it.
#[tokio::test]
async fn older_upload_of_default_tenant_gives_no_access_to_new_tenant() {
    let app = App::start().await;
    let pending = app.create("/acme/p.csv", json!({})).await;
    let uploaded = app.upload("/acme/u.csv", "old", json!({})).await;
    let (_, acme) = app.issue_key("acme", &Scope::ALL, None).await;
    // A key that was used before has the old set of tenants cached for a few seconds.
    let (_, fresh) = app.issue_key("default", &Scope::ALL, None).await;
    let post = app
        .http
        .post(format!("{}/uploads", app.url))
        .bearer_auth(&acme);
    let body = json!({"path": "/u.csv", "overwrite": true});
    let theirs = Reply::of(post.json(&body))
        .await
        .expect(StatusCode::CREATED);
    app.put(&theirs, "new").await.expect_ok();

    let ask = |method: Method, path: String| {
        let request = app.http.request(method, format!("{}{path}", app.url));
        Reply::of(request.bearer_auth(&fresh))
    };
    for path in [
        format!("/uploads/{}?force=true", id(&uploaded)),
        "/datasets/acme/u.csv?force=true".into(),
    ] {
        let reply = ask(Method::DELETE, path).await;
        assert!(!reply.status.is_server_error(), "{reply:#?}");
        assert_eq!(app.bucket.get("acme/u.csv").await, b"new", "{reply:#?}");
    }
    let refresh = format!("/uploads/{}?refresh_urls=true", id(&pending));
    let reply = ask(Method::GET, refresh).await;
    assert_eq!(
        reply.json()["upload"],
        Value::Null,
        "a URL into acme's jail: {reply:#?}"
    );
}

/// What the default tenant left in a prefix that belongs to another tenant by now: it may end its
/// own uploads there, and touches no object.
#[tokio::test]
async fn default_tenant_cannot_delete_or_prove_objects_in_prefix_of_new_tenant() {
    let app = App::start().await;
    let pending = app.create("/acme/p.csv", json!({"expires_in": 60})).await;
    let uploaded = app.upload("/acme/u.csv", "old", json!({})).await;
    app.issue_key("acme", &Scope::ALL, None).await;
    let (_, fresh) = app.issue_key("default", &Scope::ALL, None).await;
    let ask = |method: Method, path: String| {
        let request = app.http.request(method, format!("{}{path}", app.url));
        Reply::of(request.bearer_auth(&fresh))
    };
    for force in ["", "?force=true", "?force=remove"] {
        let path = format!("/datasets/acme/u.csv{force}");
        let reply = ask(Method::DELETE, path).await;
        reply.expect_problem(404, "dataset-not-found");
    }
    let by_id = format!("/uploads/{}", id(&uploaded));
    let reply = ask(Method::DELETE, by_id.clone()).await;
    let problem = reply.expect_problem(409, "dataset-drifted");
    assert_eq!(
        app.read(&uploaded).await["status"],
        "Uploaded",
        "{problem:#}"
    );
    let reply = ask(Method::DELETE, format!("{by_id}?force=remove")).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:#?}");
    assert_eq!(app.read(&uploaded).await["status"], "Deleted");
    assert_eq!(app.bucket.get("acme/u.csv").await, b"old");

    // The URL cannot be revoked, but no acknowledge proves what is uploaded with it.
    app.put(&pending, "late").await.expect_ok();
    let acknowledge = format!("/uploads/{}/acknowledge", id(&pending));
    for reply in [
        ask(Method::POST, acknowledge).await,
        // With a key that has the old set of tenants cached for a few seconds.
        app.acknowledge(&pending).await,
    ] {
        reply.expect_problem(409, "invalid-status");
    }
    assert_eq!(app.read(&pending).await["status"], "Pending");
    app.advance(TimeDelta::seconds(60 + 901));
    let round = app.janitor().await;
    assert_eq!((round.expired, round.uploaded), (1, 0), "{round:?}");
    assert_eq!(app.read(&pending).await["status"], "Expired");
}

#[tokio::test]
async fn database_rejects_nested_or_malformed_tenant_prefixes() {
    let app = App::start().await;
    let sql = app.sql().await;
    let insert = async |name: &str, prefix: &str| {
        let statement = "INSERT INTO tenants (name, key_prefix) VALUES ($1, $2)";
        sql.execute(statement, &[&name, &prefix]).await
    };
    insert("one", "teams/one/").await.expect("a tenant");
    for (name, prefix) in [
        ("inside", "teams/one/two/"),
        ("around", "teams/"),
        ("same", "teams/one/"),
        ("bare", "noslash"),
        ("rooted", "/rooted/"),
        ("empty", ""),
        ("Upper", "upper/"),
    ] {
        let refused = insert(name, prefix).await;
        assert!(refused.is_err(), "{name} got {prefix}");
    }
    insert("neighbour", "teams/one2/")
        .await
        .expect("a neighbour");
    let moved = "UPDATE tenants SET key_prefix = 'teams/one/three/' WHERE name = 'neighbour'";
    assert!(
        sql.batch_execute(moved).await.is_err(),
        "moved into another"
    );
}
