//! `tenants create|set|show|list|disable|enable`, as used by people and by scripts.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::process::FinishedProcess;
use crate::support::serving::{Caller, Place};

async fn tenants(place: &Place, args: &[&str]) -> FinishedProcess {
    let args: Vec<_> = ["tenants"].iter().chain(args).copied().collect();
    place.run(&args).finish().await
}

async fn tenants_json(place: &Place, args: &[&str]) -> Value {
    let args: Vec<_> = args.iter().chain(&["--json"]).copied().collect();
    tenants(place, &args).await.ok().json()
}

/// The migrations create the default tenant; it is changed like any other.
#[tokio::test]
async fn create_of_default_tenant_is_rejected_as_existing() {
    let place = Place::new().await;
    for more in [&[][..], &["--prefix", "teams/"]] {
        let args: Vec<_> = ["create", "default"].iter().chain(more).copied().collect();
        let ended = tenants(&place, &args).await;
        assert!(!ended.status.success(), "{ended:#?}");
        let said = &ended.err;
        assert!(said.contains("the tenant default already exists"), "{said}");
        assert!(said.contains("`tenants set`"), "{said}");
    }
}

#[tokio::test]
async fn tenants_create_set_show_and_list_print_json() {
    let place = Place::new().await;
    let made = tenants_json(
        &place,
        &[
            "create",
            "acme",
            "--prefix",
            "teams/acme/",
            "--quota-bytes",
            "1000",
            "--quota-open-uploads",
            "5",
            "--max-size",
            "100",
            "--content-types",
            "text/csv,Image/*",
            "--url-seconds",
            "60",
            "--max-url-seconds",
            "300",
            "--retention-days",
            "30",
        ],
    )
    .await;
    let mut expected = json!({
        "name": "acme", "bucket": null, "key_prefix": "teams/acme/", "created_at": made["created_at"],
        "disabled_at": null, "quota_bytes": 1000, "quota_open_uploads": 5, "max_size": 100,
        "content_types": ["text/csv", "image/*"], "url_seconds": 60, "max_url_seconds": 300,
        "retention_days": 30, "usage": {"bytes": 0, "open_uploads": 0},
    });
    assert!(made["created_at"].is_string(), "{made:#}");
    assert_eq!(made, expected);
    assert_eq!(tenants_json(&place, &["show", "acme"]).await, expected);

    // Options that are left out keep their value; `none` removes a limit.
    let args = [
        "set",
        "acme",
        "--max-size",
        "200",
        "--url-seconds",
        "none",
        "--content-types",
        "none",
    ];
    let set = tenants_json(&place, &args).await;
    for (name, value) in [
        ("max_size", json!(200)),
        ("url_seconds", Value::Null),
        ("content_types", Value::Null),
    ] {
        expected[name] = value;
    }
    assert_eq!(set, expected);
    expected.as_object_mut().expect("an object").remove("usage");
    let list = tenants_json(&place, &["list"]).await;
    assert_eq!(list[0], expected, "{list:#}");
    assert_eq!(list[1]["name"], "default", "{list:#}");
}

#[tokio::test]
async fn tenants_show_usage_and_disable_and_enable_access() {
    let place = Place::new().await;
    let (_process, keeper) = place.start(place.serve()).await;
    tenants(&place, &["create", "acme", "--quota-bytes", "1000"])
        .await
        .ok();
    let made = place.run(&[
        "keys", "create", "--json", "--tenant", "acme", "--scopes", "admin",
    ]);
    let key = made.finish().await.ok().json()["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let acme = Caller::new(keeper.url.clone(), key);
    acme.upload("/a.csv", "0123456789").await;
    assert_eq!(place.bucket.get("acme/a.csv").await, b"0123456789");
    let shown = tenants(&place, &["show", "acme"]).await.ok();
    assert!(shown.out.contains("10 of 1000 in use"), "{shown:#?}");
    let list = tenants(&place, &["list"]).await.ok();
    assert!(list.out.contains("acme  acme/  bytes 1000"), "{list:#?}");

    let disabled = tenants(&place, &["disable", "acme"]).await.ok();
    assert!(
        disabled.err.contains("acme has been disabled"),
        "{disabled:#?}"
    );
    let refused = async { while acme.get("/datasets").await.status == StatusCode::OK {} };
    let seconds = Duration::from_secs(5);
    let refused = tokio::time::timeout(seconds, refused).await;
    assert!(
        refused.is_ok(),
        "the tenant still gets in after {seconds:?}"
    );
    let list = tenants(&place, &["list"]).await.ok();
    assert!(list.out.contains("open uploads -  disabled 2"), "{list:#?}");
    tenants(&place, &["enable", "acme"]).await.ok();
    let recorded = place.run(&[
        "audit",
        "--json",
        "--action",
        "tenant.created,tenant.disabled,tenant.enabled",
    ]);
    let recorded = recorded.finish().await.ok().out;
    assert_eq!(
        recorded.matches("\"subject\":\"acme\"").count(),
        3,
        "{recorded}"
    );
    let back = async { while acme.get("/datasets").await.status != StatusCode::OK {} };
    let back = tokio::time::timeout(seconds, back).await;
    assert!(back.is_ok(), "the tenant is still out after {seconds:?}");
}

#[tokio::test]
async fn tenants_commands_reject_invalid_arguments_with_reason() {
    let place = Place::new().await;
    tenants(&place, &["create", "acme", "--max-url-seconds", "300"])
        .await
        .ok();
    tenants(&place, &["create", "one", "--prefix", "teams/one/"])
        .await
        .ok();
    let before = tenants_json(&place, &["list"]).await;
    let usage = 2;
    for (args, code, texts) in [
        (&["create", "acme"][..], 1, &["already", "tenants set"][..]),
        (&["create", "Acme Inc"], 1, &["name", "a-z"]),
        (
            &["create", "b", "--prefix", "teams/"],
            1,
            &["prefix", "another tenant"],
        ),
        (
            &["create", "b", "--prefix", "teams/one/two/"],
            1,
            &["prefix", "another tenant"],
        ),
        (
            &["create", "b", "--prefix", "teams/one/"],
            1,
            &["prefix", "another tenant"],
        ),
        (
            &["create", "b", "--prefix", "b"],
            1,
            &["prefix", "teams/acme/"],
        ),
        (
            &["create", "b", "--prefix", "/b/"],
            1,
            &["prefix", "teams/acme/"],
        ),
        (
            &["create", "b", "--prefix", "b//c/"],
            1,
            &["prefix", "teams/acme/"],
        ),
        (
            &["create", "b", "--prefix", "../b/"],
            1,
            &["prefix", "teams/acme/"],
        ),
        (
            &["create", "b", "--prefix", ""],
            1,
            &["prefix", "teams/acme/"],
        ),
        (
            &["create", "b", "--prefix", "/"],
            1,
            &["prefix", "teams/acme/"],
        ),
        (
            &["create", "b", "--quota-bytes=-1"],
            usage,
            &["--quota-bytes"],
        ),
        (
            &["create", "b", "--quota-bytes", "10GB"],
            usage,
            &["--quota-bytes", "number", "none"],
        ),
        (&["create", "b", "--max-size", "0"], usage, &["--max-size"]),
        (
            &["create", "b", "--content-types", "csv"],
            usage,
            &["--content-types", "text/csv"],
        ),
        (
            &["create", "b", "--content-types", ""],
            usage,
            &["--content-types", "empty item"],
        ),
        (
            &["create", "b", "--url-seconds", "604801"],
            usage,
            &["--url-seconds", "604800"],
        ),
        (
            &["create", "b", "--retention-days", "0"],
            usage,
            &["--retention-days"],
        ),
        (
            &["set", "acme", "--url-seconds", "301"],
            1,
            &["url_seconds", "300 seconds"],
        ),
        (&["set", "absent"], 1, &["no tenant", "absent"]),
        (&["set", "acme", "--prefix", "b/"], usage, &["--prefix"]),
        (&["show", "absent"], 1, &["no tenant", "absent"]),
        (&["disable", "absent"], 1, &["no tenant", "absent"]),
        (&["enable", "absent"], 1, &["no tenant", "absent"]),
    ] {
        let ended = tenants(&place, args).await.expect_failure(code, texts);
        assert_eq!(ended.out, "", "{args:?}: {ended:#?}");
    }
    assert_eq!(
        tenants_json(&place, &["list"]).await,
        before,
        "something was changed"
    );
}
