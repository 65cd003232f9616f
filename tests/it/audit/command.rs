//! The command `audit` shows the rows of every tenant to the operator.

use serde_json::Value;

use crate::support::observe::eventually;
use crate::support::process::FinishedProcess;
use crate::support::reply::Reply;
use crate::support::serving::Place;

async fn audit(place: &Place, args: &[&str]) -> FinishedProcess {
    let args: Vec<_> = ["audit"].iter().chain(args).copied().collect();
    place.run(&args).finish().await
}

fn lines(ended: &FinishedProcess) -> Vec<Value> {
    let lines = ended.out.lines().map(serde_json::from_str);
    lines.map(|line| line.expect("JSON")).collect()
}

#[tokio::test]
async fn command_shows_and_filters_actions_of_all_callers() {
    let place = Place::new().await;
    let (_process, caller) = place.start(place.serve()).await;
    let acme = place.run(&[
        "keys", "create", "--tenant", "acme", "--scopes", "admin", "--json",
    ]);
    let acme = acme.finish().await.ok().json();
    caller.upload("/data/a.csv", "x").await;
    let stranger = caller.http.get(format!("{}/uploads", caller.url));
    Reply::of(stranger)
        .await
        .expect_problem(401, "unauthenticated");
    let acme_id = acme["id"].as_str().expect("an id");
    place.run(&["keys", "revoke", acme_id]).finish().await.ok();

    let mut all = Vec::new();
    eventually("the rows are written", async || {
        all = lines(&audit(&place, &["--json"]).await.ok());
        all.len() >= 7
    })
    .await;
    let mut actions: Vec<_> = all
        .iter()
        .map(|row| row["action"].as_str().expect("text"))
        .collect();
    actions.sort_unstable();
    let expected = [
        "key.created",
        "key.created",
        "key.revoked",
        "request.refused",
        "tenant.created",
        "upload.acknowledged",
        "upload.created",
    ];
    assert_eq!(actions, expected, "{all:#?}");
    let times: Vec<_> = all.iter().map(|row| row["time"].as_str()).collect();
    assert!(times.is_sorted(), "oldest first: {times:?}");

    // The same row as over HTTP.
    let admin = place.run(&["keys", "create", "--scopes", "admin", "--json"]);
    let admin = admin.finish().await.ok().json();
    let admin = admin["key"].as_str().expect("a key");
    let shown = caller
        .http
        .get(format!("{}/audit?action=upload.created", caller.url));
    let shown = Reply::of(shown.bearer_auth(admin)).await.json();
    let created = all.iter().find(|row| row["action"] == "upload.created");
    assert_eq!(Some(&shown[0]), created, "{shown:#}");

    for (args, count) in [
        (&["--tenant", "acme"][..], 3),
        (&["--tenant", "absent"], 0),
        (&["--action", "upload.created,key.revoked"], 2),
        (&["--prefix", "/data/"], 2),
        (&["--since", "1h", "--until", "30m"], 0),
        (&["--until", "2020-01-01T00:00:00Z"], 0),
        (&["--since", "4294967295d", "--action", "key.revoked"], 1),
    ] {
        let args = [&["--json"], args].concat();
        let found = lines(&audit(&place, &args).await.ok());
        assert_eq!(found.len(), count, "{args:?}: {found:#?}");
    }

    let people = audit(&place, &[]).await.ok();
    let line = people
        .out
        .lines()
        .find(|line| line.contains("upload.created"));
    let line = line.unwrap_or_else(|| panic!("{people:#?}"));
    for text in [
        "  key:",
        "  tenant=default",
        "  from=127.0.0.1",
        "  path=/data/a.csv",
        "  until=",
    ] {
        assert!(line.contains(text), "no {text:?} in {line}");
    }
    let of_key = people.out.lines().find(|line| line.contains("key.revoked"));
    let of_key = of_key.unwrap_or_else(|| panic!("{people:#?}"));
    assert!(
        of_key.ends_with(&format!("operator  tenant=acme  subject={acme_id}")),
        "{of_key}"
    );
    assert!(!people.out.contains("ubk_"), "{people:#?}");
}

/// More rows than one page has.
#[tokio::test]
async fn command_prints_each_row_once_in_order_across_pages() {
    let place = Place::new().await;
    let client = crate::support::database::connect(place.database.url()).await;
    let many = "INSERT INTO audit (id, at, actor, action, subject) \
        SELECT ('01955114-3a40-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '2025-03-01', 'x', 'key.created', n \
        FROM generate_series(1, 2500) AS n";
    client.batch_execute(many).await.expect("rows");
    let args = ["--json", "--since", "2025-01-01T00:00:00Z"];
    let shown = lines(&audit(&place, &args).await.ok());
    let subjects = shown
        .iter()
        .map(|row| row["subject"].as_str().expect("text").parse());
    let subjects: Vec<u32> = subjects.map(|n| n.expect("a number")).collect();
    assert!(subjects.into_iter().eq(1..=2_500));
}

#[tokio::test]
async fn command_rejects_invalid_arguments_and_reports_missing_database() {
    let place = Place::new().await;
    for (args, code, text) in [
        (&["--since", "yesterday"][..], 2, "2026-11-21T08:00:00Z"),
        (&["--action", "upload.eaten"], 2, "upload.created"),
        (&["--prefix", "/a\u{7}"], 1, "control character"),
    ] {
        audit(&place, args).await.expect_failure(code, &[text]);
    }
    let nowhere = place
        .run(&["audit"])
        .set("DATABASE_URL", "postgres://x@127.0.0.1:1/x");
    nowhere
        .finish()
        .await
        .expect_failure(1, &["Cannot connect to Postgres"]);
    let unset = place.run(&["audit"]).unset("DATABASE_URL");
    unset.finish().await.expect_failure(78, &["DATABASE_URL"]);
}
