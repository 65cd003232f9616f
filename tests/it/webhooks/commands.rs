//! `webhooks add|list|remove|enable|replay|rotate-secret`, as used by people and by scripts.

use serde_json::{Value, json};
use upload_broker::domain::principal::Scope;

use super::{Endpoint, add, run, setup, shown, waiting, webhooks};
use crate::support::app::App;
use crate::support::leaks::register_secret;
use crate::support::observe::eventually;
use crate::support::process::Run;
use crate::support::receiver::{Answer, Receiver};

const UNKNOWN: &str = "01999999-0000-7000-8000-000000000000";

/// The actions of operators on webhooks, oldest first, with their tenants and subjects.
async fn audited(app: &App) -> Vec<(String, String, String)> {
    let printed =
        Run::new(&["audit", "--since", "1h", "--json"]).set("DATABASE_URL", app.database.url());
    let printed = printed.finish().await.ok().out;
    let rows = printed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect(line));
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.map(|row| {
        (
            text(&row, "action"),
            text(&row, "tenant"),
            text(&row, "subject"),
        )
    })
    .filter(|row| row.0.starts_with("webhook."))
    .collect()
}

#[tokio::test]
async fn webhooks_are_added_listed_and_removed_with_audit_rows() {
    let app = setup().start().await;
    app.issue_key("acme", &Scope::ALL, None).await;
    let url = "https://hooks.example.com/broker?team=a";
    let types = "dataset.uploaded,upload.failed";
    let args = [
        "add", "--tenant", "acme", "--url", url, "--types", types, "--json",
    ];
    let printed = webhooks(&app, &args).await.ok().json();
    let acme = Endpoint::of(&printed);
    assert_eq!(printed["tenant"], "acme");
    assert_eq!(printed["url"], url);
    assert_eq!(
        printed["types"],
        json!(["dataset.uploaded", "upload.failed"])
    );

    let added = webhooks(&app, &["add", "--url", "https://example.com"])
        .await
        .ok();
    let secret = added.out.trim_end();
    register_secret("the secret of a webhook", secret);
    assert!(
        secret.starts_with("whsec_") && secret.len() == 50,
        "one line"
    );
    assert!(added.err.contains("of tenant default"), "{}", added.err);

    let all = webhooks(&app, &["list", "--json"]).await.ok();
    assert_eq!(all.json().as_array().map(Vec::len), Some(2));
    let list = webhooks(&app, &["list", "--tenant", "acme"]).await.ok();
    assert_eq!(list.out.lines().count(), 1, "{}", list.out);
    for text in [&*acme.id, "acme", url, types, "waiting 0", "enabled"] {
        assert!(list.out.contains(text), "no {text:?} in {}", list.out);
    }
    for out in [&all.out, &all.err, &list.out, &list.err] {
        assert!(!out.contains("whsec_") && !out.contains(&acme.secret[6..]));
        assert!(!out.contains("secret"), "{out}");
    }
    let expected = json!({
        "id": acme.id, "tenant": "acme", "url": url, "waiting": 0,
        "types": ["dataset.uploaded", "upload.failed"], "disabled_at": null,
        "failing_since": null, "last_delivered_at": null, "last_error": null,
        "created_at": shown(&app, &acme).await["created_at"],
    });
    assert_eq!(shown(&app, &acme).await, expected);

    let rotated = webhooks(&app, &["rotate-secret", &acme.id]).await.ok();
    register_secret("the secret of a webhook", rotated.out.trim_end());
    assert!(rotated.out.starts_with("whsec_"), "a new secret");
    assert_ne!(rotated.out.trim_end(), acme.secret);
    webhooks(&app, &["enable", &acme.id]).await.ok();
    webhooks(&app, &["remove", &acme.id]).await.ok();
    let list = webhooks(&app, &["list", "--tenant", "acme"]).await.ok();
    assert_eq!(list.out, "");
    let audited = audited(&app).await;
    let of_acme: Vec<_> = (audited.iter().filter(|row| row.2 == acme.id))
        .map(|row| (&*row.0, &*row.1))
        .collect();
    let actions = ["created", "secret-rotated", "enabled", "removed"];
    let actions = actions.map(|action| format!("webhook.{action}"));
    let expected: Vec<_> = actions.iter().map(|action| (&**action, "acme")).collect();
    assert_eq!(of_acme, expected, "{audited:#?}");
    assert_eq!(audited.len(), 5, "{audited:#?}");
}

/// Nothing can be written to the standard output: the command fails, and says what to do.
#[tokio::test]
async fn secret_that_cannot_be_printed_is_reported() {
    const RUN: &str = "import subprocess, sys; full = open('/dev/full', 'w'); \
                       sys.exit(subprocess.run(sys.argv[1:], stdout=full).returncode)";
    let app = setup().start().await;
    let endpoint = add(&app, "https://example.com/", &[]).await;
    let add = ["webhooks", "add", "--url", "https://example.com/"];
    let rotate = ["webhooks", "rotate-secret", &*endpoint.id];
    for (command, advice) in [
        (&add[..], "webhooks rotate-secret"),
        (&rotate[..], "replace it again"),
        (
            &["keys", "create", "--scopes", "uploads:read"][..],
            "keys revoke",
        ),
    ] {
        for more in [&[][..], &["--json"][..]] {
            let program = env!("CARGO_BIN_EXE_upload-broker");
            let args = [&["-c", RUN, program], command, more].concat();
            let run = Run::python(&args).set("DATABASE_URL", app.database.url());
            let ended = run.finish().await;
            ended.expect_failure(1, &["not printed", advice, "No space left"]);
        }
    }
}

/// The endpoint is removed while it is leased, and while uploads write events for it.
#[tokio::test]
async fn webhook_is_removed_while_events_are_written() {
    let receiver = Receiver::new();
    receiver.answer(Answer::Hold);
    let app = setup().start().await;
    let endpoint = add(&app, &receiver.url(), &[]).await;
    app.upload("/first.csv", "a", json!({})).await;
    receiver.wait_for(1).await;
    let uploads = (0..30).map(|n| {
        let app = &app;
        async move { app.upload(&format!("/{n}.csv"), "a", json!({})).await }
    });
    let uploads = futures::future::join_all(uploads);
    let remove = ["remove", &*endpoint.id];
    let removed = webhooks(&app, &remove);
    let (uploads, removed) = tokio::join!(uploads, removed);
    removed.ok();
    assert_eq!(uploads.len(), 30, "all were acknowledged");
    receiver.release();
    eventually("nothing waits", async || waiting(&app).await == 0).await;
    let again = webhooks(&app, &remove).await;
    again.expect_failure(1, &["There is no webhook"]);
}

#[tokio::test]
async fn bad_arguments_are_rejected_with_a_helpful_message() {
    let app = setup().start().await;
    let url = "https://example.com/";
    let usage = 2;
    for (args, code, texts) in [
        (&["add"][..], usage, &["--url"][..]),
        (
            &["add", "--url", url, "--types", "dataset.eaten"],
            usage,
            &["unknown event type", "dataset.processing-failed"],
        ),
        (
            &["add", "--url", url, "--tenant", "unknown"],
            1,
            &["there is no tenant", "tenants list"],
        ),
        (&["add", "--url", url, "--tenant", "A!"], 1, &["/tenant"]),
        (
            &["add", "--url", "https://a:b@example.com/"],
            1,
            &["credentials"],
        ),
        (
            &["add", "--url", "example.com"],
            1,
            &["https://example.com"],
        ),
        (&["remove", UNKNOWN], 1, &["There is no webhook"]),
        (&["enable", UNKNOWN], 1, &["There is no webhook"]),
        (&["rotate-secret", UNKNOWN], 1, &["There is no webhook"]),
        (
            &["replay", UNKNOWN, "--since", "1h"],
            1,
            &["There is no webhook"],
        ),
        (&["replay", UNKNOWN], usage, &["--since"]),
        (
            &["replay", UNKNOWN, "--since", "1h", "--until", "2h"],
            usage,
            &["must be earlier than"],
        ),
        (&["remove", "a"], usage, &["a"]),
    ] {
        let ended = webhooks(&app, args).await.expect_failure(code, texts);
        assert_eq!(ended.out, "", "{args:?}: {ended:#?}");
    }
    let setting = run(&app, &["add", "--url", url]).set("BROKER_WEBHOOKS_ALLOW_PRIVATE", "maybe");
    let ended = setting.finish().await;
    ended.expect_failure(78, &["BROKER_WEBHOOKS_ALLOW_PRIVATE"]);
    assert_eq!(audited(&app).await, []);
}
