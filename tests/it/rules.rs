//! Processing rules: a file is checked before anything starts, and an upload gets the jobs that the
//! rules say.

mod faults;

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use upload_broker::domain::rules::{NewJob, UploadFacts};
use upload_broker::domain::upload::Upload;
use upload_broker::store;

use crate::docs::page;
use crate::readme::block;
use crate::support::app::{App, Setup, id};
use crate::support::cloud;
use crate::support::process::{FinishedProcess, Run};

const BAD_CONFIG: i32 = 78;

/// Two rules for the same processor, and one for a worker of somebody else.
const RULES: &str = r#"
[[rule]]
name = "plays"
processor = "csv-aggregate"
content_types = ["text/csv", "text/tab-separated-values"]
paths = ["/in/plays/**"]
tenants = ["default", "acme"]
metadata = { kind = "plays" }
options = { group_by = ["Song"], aggregates = [{ function = "count" }] }

[[rule]]
processor = "csv-aggregate"
content_types = ["text/*"]
options = { group_by = ["id"], aggregates = [{ function = "count" }] }

[[rule]]
name = "virus scan"
processor = "scan"
external = true
"#;

/// A file of rules in a folder of its own.
struct RulesFile {
    _folder: TempDir,
    path: PathBuf,
}

impl RulesFile {
    fn new(text: impl AsRef<[u8]>) -> RulesFile {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rules.toml");
        std::fs::write(&path, text).expect("a file of rules");
        RulesFile {
            _folder: folder,
            path,
        }
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }

    async fn check(&self, args: &[&str]) -> FinishedProcess {
        let path = self.shown();
        let all: Vec<&str> = ["rules", "check", &path]
            .iter()
            .chain(args)
            .copied()
            .collect();
        Run::new(&all).finish().await
    }
}

#[tokio::test]
async fn check_prints_the_rules_of_a_valid_file() {
    let file = RulesFile::new(RULES);
    let ended = file.check(&[]).await.ok();
    let expected = [
        "3 valid rules.",
        "rule 1 \"plays\": csv-aggregate",
        "  content types  text/csv, text/tab-separated-values",
        "  paths          /in/plays/**",
        "  tenants        default, acme",
        "  metadata       kind=plays",
        "  options        {\"aggregates\":[{\"function\":\"count\"}],\"group_by\":[\"Song\"]}",
        "rule 2: csv-aggregate",
        "  content types  text/*",
        "  options        {\"aggregates\":[{\"function\":\"count\"}],\"group_by\":[\"id\"]}",
        "rule 3 \"virus scan\": scan (external)",
        "  every upload",
        "  options        {}",
    ];
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), expected);
    assert_eq!(ended.err, "");

    let json = file.check(&["--json"]).await.ok().json();
    assert_eq!(json["rules"][0]["paths"], json!(["/in/plays/**"]));
    assert_eq!(json["rules"][1]["paths"], Value::Null);
    assert_eq!(json["rules"][2]["external"], true);
    assert_eq!(json["jobs"], Value::Null);
}

#[tokio::test]
async fn check_shows_jobs_of_example_upload_by_first_matching_rule() {
    let file = RulesFile::new(RULES);
    let jobs = async |args: &[&str]| -> Vec<(String, u64)> {
        let args: Vec<&str> = args.iter().chain(&["--json"]).copied().collect();
        let json = file.check(&args).await.ok().json();
        let jobs = json["jobs"].as_array().expect("jobs").iter();
        jobs.map(|job| {
            let processor = job["processor"].as_str().expect("a processor");
            (
                processor.to_owned(),
                job["rule"].as_u64().expect("a number"),
            )
        })
        .collect()
    };
    let csv_by = |rule| vec![("csv-aggregate".to_owned(), rule), ("scan".to_owned(), 3)];
    let plays = ["--path", "/in/plays/2026/a.csv", "--metadata", "kind=plays"];
    assert_eq!(jobs(&plays).await, csv_by(1));
    let acme = [&plays[..], &["--tenant", "acme"]].concat();
    assert_eq!(jobs(&acme).await, csv_by(1));
    let other_tenant = [&plays[..], &["--tenant", "other"]].concat();
    assert_eq!(jobs(&other_tenant).await, csv_by(2));
    assert_eq!(jobs(&["--path", "/in/plays/2026/a.csv"]).await, csv_by(2));
    assert_eq!(
        jobs(&[
            "--path",
            "/a.bin",
            "--content-type",
            "Text/Plain; charset=utf-8"
        ])
        .await,
        csv_by(2)
    );
    assert_eq!(jobs(&["--path", "/a.png"]).await, [("scan".to_owned(), 3)]);

    let ended = file.check(&plays).await.ok();
    let lines: Vec<_> = ended.out.lines().skip(13).collect();
    assert_eq!(
        lines,
        [
            "An upload to /in/plays/2026/a.csv with the content type text/csv, of the tenant default, \
             gets 2 jobs.",
            "  csv-aggregate by rule 1 \"plays\": \
             {\"aggregates\":[{\"function\":\"count\"}],\"group_by\":[\"Song\"]}",
            "  scan by rule 3 \"virus scan\": {}",
        ]
    );
}

#[tokio::test]
async fn check_reads_the_file_of_the_settings() {
    let file = RulesFile::new(RULES);
    let check = Run::new(&["rules", "check"]).set("BROKER_PROCESSORS_FILE", file.shown());
    let ended = check.finish().await.ok();
    assert!(ended.out.starts_with("3 valid rules."), "{ended:#?}");

    let none = Run::new(&["rules", "check", "--path", "/a.csv"])
        .finish()
        .await
        .ok();
    assert!(
        none.err.contains("BROKER_PROCESSORS_FILE is not set"),
        "{none:#?}"
    );
    assert!(none.out.starts_with("0 valid rules."), "{none:#?}");
    assert!(none.out.contains("gets 0 jobs."), "{none:#?}");
}

#[tokio::test]
async fn check_config_accepts_valid_rules() {
    let file = RulesFile::new(RULES);
    let ended = Run::new(&["check-config"])
        .with(&cloud::settings())
        .set("DATABASE_URL", "postgres://db.example.com/broker")
        .set("BROKER_S3_BUCKET", "datasets")
        .set("BROKER_PROCESSORS_FILE", file.shown())
        .finish()
        .await
        .ok();
    let mut lines = ended.out.lines();
    let line = lines.find(|line| line.starts_with("BROKER_PROCESSORS_FILE "));
    assert!(
        line.is_some_and(|line| line.ends_with(&file.shown())),
        "{ended:#?}"
    );
}

/// The upload of a session, as the broker reads it.
async fn stored(app: &App, session: &Value) -> Upload {
    let mut connection = store::pool::connect(app.database.url())
        .await
        .expect("Postgres");
    let id = id(session).parse().expect("an id");
    let found = store::uploads::find_in_any_tenant(&mut connection, id).await;
    found.expect("a row").expect("an upload")
}

#[tokio::test]
async fn rules_of_a_broker_decide_by_its_proven_uploads() {
    let app = Setup::new().rules(RULES).start().await;
    let rules = &app.broker.rules.processing;
    let metadata = json!({"metadata": {"kind": "plays"}});
    let plays = app.upload("/in/plays/a.csv", "Song\nA\n", metadata).await;
    let plays = stored(&app, &plays).await;
    assert_eq!(UploadFacts::of(&plays).content_type, "text/csv");
    let job = |processor: &str, options| NewJob {
        processor: processor.to_owned(),
        options,
    };
    let count = json!([{"function": "count"}]);
    assert_eq!(
        rules.jobs_for(&plays),
        [
            job(
                "csv-aggregate",
                json!({"group_by": ["Song"], "aggregates": count})
            ),
            job("scan", json!({})),
        ]
    );
    let other = app.upload("/in/a.bin", "x", json!({})).await;
    let jobs = rules.jobs_for(&stored(&app, &other).await);
    assert_eq!(jobs, [job("scan", json!({}))]);
}

/// The example of the documentation, and the rules of `dev`.
#[tokio::test]
async fn documented_rules_and_rules_of_dev_are_valid() {
    let documented = RulesFile::new(block("rules"));
    documented.check(&[]).await.ok();
    let text = include_str!("../../src/commands/dev_rules.toml");
    let dev = RulesFile::new(text);
    let shown = dev.check(&["--path", "/a.csv"]).await.ok();
    assert!(shown.out.contains("gets 0 jobs."), "{shown:#?}");
    let asked = ["--path", "/a.csv", "--metadata", "processor=csv-aggregate"];
    let shown = dev.check(&asked).await.ok();
    assert!(shown.out.contains("gets 1 job."), "{shown:#?}");

    let page = page("docs/src/guides/processing/rules.md");
    assert!(
        page.contains(text.trim_end()),
        "the rules of `dev` differ from {page}"
    );
}
