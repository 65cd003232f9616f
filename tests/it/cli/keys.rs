//! `keys create|list|revoke`: a key is shown once, when it is created, and a revoked key stays
//! revoked.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::process::FinishedProcess;
use crate::support::serving::{Caller, Place};

async fn keys(place: &Place, args: &[&str]) -> FinishedProcess {
    let args: Vec<_> = ["keys"].iter().chain(args).copied().collect();
    place.run(&args).finish().await
}

async fn create(place: &Place, args: &[&str]) -> Value {
    let args: Vec<_> = ["create", "--json"].iter().chain(args).copied().collect();
    keys(place, &args).await.ok().json()
}

/// The names of an object's members, in order.
fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> = (value.as_object().expect("an object").keys())
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn keys_create_and_list_print_json() {
    let place = Place::new().await;
    let arguments = ["create", "--json", "--scopes", "uploads:write,uploads:read"];
    let ended = keys(&place, &arguments).await.ok();
    let made = ended.json();
    assert_eq!(ended.out, format!("{made}\n"), "one line");
    let whole = ["created_at", "expires_at", "id", "key", "scopes", "tenant"];
    assert_eq!(members(&made), whole, "{made:#}");
    assert_eq!(made["tenant"], "default");
    assert_eq!(made["scopes"], json!(["uploads:write", "uploads:read"]));
    assert_eq!(made["expires_at"], Value::Null);
    let brief = create(
        &place,
        &[
            "--tenant",
            "acme",
            "--scopes",
            "admin",
            "--expires-in",
            "60",
        ],
    )
    .await;
    assert!(brief["expires_at"].is_string(), "{brief:#}");

    let ended = keys(&place, &["list", "--json"]).await.ok();
    assert!(!ended.out.contains("ubk_"), "{ended:#?}");
    let list = ended.json();
    let find = |id: &Value| {
        let found = list
            .as_array()
            .expect("an array")
            .iter()
            .find(|key| key["id"] == *id);
        found.unwrap_or_else(|| panic!("no {id} in {list:#}"))
    };
    let listed = find(&made["id"]);
    for member in ["id", "tenant", "scopes", "created_at", "expires_at"] {
        assert_eq!(listed[member], made[member], "{member} of {listed:#}");
    }
    assert_eq!(listed["last_used_at"], Value::Null, "{listed:#}");
    assert_eq!(listed["revoked_at"], Value::Null, "{listed:#}");
    assert_eq!(find(&brief["id"])["tenant"], "acme");
}

/// Text output: only the key goes to standard output, so that `KEY=$(…)` works.
#[tokio::test]
async fn keys_create_prints_only_the_key_on_standard_output() {
    let place = Place::new().await;
    let made = keys(&place, &["create", "--scopes", "datasets:read"])
        .await
        .ok();
    let key = made.out.trim_end();
    assert!(
        key.starts_with("ubk_") && !key.contains(char::is_whitespace),
        "{made:#?}"
    );
    assert!(!made.err.contains(key), "{made:#?}");
    assert!(made.err.contains("not shown again"), "{made:#?}");
    let list = keys(&place, &["list"]).await.ok();
    let line = list.out.lines().next().expect("a line");
    assert!(
        line.contains("default  datasets:read  last used -  live"),
        "{list:#?}"
    );
}

#[tokio::test]
async fn revoked_key_is_rejected_within_five_seconds() {
    let place = Place::new().await;
    let (_process, keeper) = place.start(place.serve()).await;
    let made = create(&place, &["--scopes", "datasets:read"]).await;
    let key = made["key"].as_str().expect("a key").to_owned();
    let lost = Caller::new(keeper.url.clone(), key);
    lost.get("/datasets").await.expect_ok();
    let id = made["id"].as_str().expect("an id");
    let revoked = keys(&place, &["revoke", id]).await.ok();
    assert!(revoked.err.contains(id), "{revoked:#?}");

    let refused = async { while lost.get("/datasets").await.status == StatusCode::OK {} };
    let seconds = Duration::from_secs(5);
    let refused = tokio::time::timeout(seconds, refused).await;
    assert!(refused.is_ok(), "the key still opens after {seconds:?}");
    lost.get("/datasets")
        .await
        .expect_problem(401, "unauthenticated");
    keeper.get("/datasets").await.expect_ok();

    let list = keys(&place, &["list", "--json"]).await.ok().json();
    let listed = list
        .as_array()
        .expect("an array")
        .iter()
        .find(|key| key["id"] == made["id"]);
    let listed = listed.expect("a key that was taken back is listed");
    assert!(listed["revoked_at"].is_string(), "{listed:#}");
    assert!(listed["last_used_at"].is_string(), "{listed:#}");
    keys(&place, &["revoke", id])
        .await
        .expect_failure(1, &["no active key", id]);
}

/// The key of a tenant sees only the datasets of its tenant.
#[tokio::test]
async fn keys_create_creates_missing_tenant_with_its_own_datasets() {
    let place = Place::new().await;
    let (_process, keeper) = place.start(place.serve()).await;
    let made = create(
        &place,
        &[
            "--tenant",
            "acme",
            "--scopes",
            "uploads:write,datasets:read",
        ],
    )
    .await;
    let acme = Caller::new(
        keeper.url.clone(),
        made["key"].as_str().expect("a key").into(),
    );
    acme.upload("/a.csv", "x").await;
    keeper.upload("/b.csv", "y").await;
    assert_eq!(place.bucket.get("acme/a.csv").await, b"x");
    for (caller, path) in [(&acme, "/a.csv"), (&keeper, "/b.csv")] {
        let list = caller.get("/datasets").await.expect(StatusCode::OK);
        let paths: Vec<_> = list
            .as_array()
            .expect("an array")
            .iter()
            .map(|entry| &entry["path"])
            .collect();
        assert_eq!(paths, [path], "{list:#}");
    }
}

/// Creating a key for a disabled tenant prints a warning on standard error. The output that scripts
/// read stays the same.
#[tokio::test]
async fn keys_create_warns_when_tenant_is_disabled() {
    let place = Place::new().await;
    let (_process, keeper) = place.start(place.serve()).await;
    let json = [
        "create",
        "--json",
        "--tenant",
        "acme",
        "--scopes",
        "datasets:read",
    ];
    let text = ["create", "--tenant", "acme", "--scopes", "datasets:read"];
    let warning = [
        "tenant acme has been disabled since ",
        "`tenants enable acme`",
    ];
    let says = |ended: &FinishedProcess| {
        let err = ended.err.to_lowercase();
        warning.map(|text| err.contains(text))
    };
    for args in [&json[..], &text] {
        let ended = keys(&place, args).await.ok();
        assert_eq!(says(&ended), [false, false], "{ended:#?}");
    }
    place
        .run(&["tenants", "disable", "acme"])
        .finish()
        .await
        .ok();
    let ended = keys(&place, &text).await.ok();
    assert_eq!(says(&ended), [true, true], "{ended:#?}");
    assert_eq!(ended.out.lines().count(), 1, "{ended:#?}");
    let ended = keys(&place, &json).await.ok();
    assert_eq!(says(&ended), [true, true], "{ended:#?}");
    let made = ended.json();
    let whole = ["created_at", "expires_at", "id", "key", "scopes", "tenant"];
    assert_eq!(members(&made), whole, "{made:#}");

    // The warning is true: the key is rejected.
    let key = made["key"].as_str().expect("a key");
    let acme = Caller::new(keeper.url.clone(), key.into());
    acme.get("/datasets")
        .await
        .expect_problem(401, "unauthenticated");
    place
        .run(&["tenants", "enable", "acme"])
        .finish()
        .await
        .ok();
    let again = keys(&place, &text).await.ok();
    assert_eq!(says(&again), [false, false], "{again:#?}");
    let acme = Caller::new(keeper.url.clone(), again.out.trim_end().into());
    acme.get("/datasets").await.expect_ok();
}

#[tokio::test]
async fn keys_commands_reject_invalid_arguments_with_reason() {
    let place = Place::new().await;
    let usage = 2;
    for (args, code, texts) in [
        (
            &["create", "--scopes", "uploads:wirte"][..],
            usage,
            &["uploads:wirte", "uploads:write"][..],
        ),
        (&["create", "--scopes", ""], usage, &["uploads:write"]),
        (&["create"], usage, &["--scopes"]),
        (
            &["create", "--scopes", "admin", "--expires-in", "0"],
            usage,
            &["--expires-in"],
        ),
        (
            &["create", "--scopes", "admin", "--tenant", "Acme Inc"],
            1,
            &["tenant", "a-z"],
        ),
        (
            &["create", "--scopes", "admin", "--tenant", ""],
            1,
            &["tenant", "a-z"],
        ),
        (&["revoke", "not-an-id"], usage, &["not-an-id"]),
        (
            &["revoke", "00000000-0000-7000-8000-000000000000"],
            1,
            &["no active key"],
        ),
    ] {
        let ended = keys(&place, args).await.expect_failure(code, texts);
        assert_eq!(ended.out, "", "{args:?}: {ended:#?}");
    }
    let list = keys(&place, &["list", "--json"]).await.ok().json();
    assert_eq!(list, json!([]), "a refused key was made all the same");
}
