//! Settings are read as a whole: all faults are reported at once, no secret is shown, and the table
//! is complete.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::*;

mod database_url;
mod identity;
mod limits;

const GOOD: &[(&str, &str)] = &[
    (
        "DATABASE_URL",
        "postgres://broker:hunter2@db:5432/broker?sslmode=require",
    ),
    ("BROKER_S3_BUCKET", "datasets"),
];

/// The good settings with `changes`; an empty text unsets a variable.
fn load(changes: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
    let map: BTreeMap<_, _> = GOOD.iter().chain(changes).copied().collect();
    Settings::load(|name| map.get(name).map(|text| (*text).to_owned()))
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn good(changes: &[(&str, &str)]) -> Settings {
    load(changes).expect("settings without a fault")
}

#[test]
fn load_needs_only_two_variables() {
    let settings = good(&[]);
    assert_eq!(settings.http.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.http.max_body_bytes, 65_536);
    assert_eq!(settings.http.shutdown.as_secs(), 25);
    assert_eq!(settings.http.cors_origins, Vec::<String>::new());
    assert_eq!(settings.uploads.url_lifetime.as_secs(), 900);
    assert_eq!(settings.uploads.max_size_bytes, 53_687_091_200_000);
    assert!(settings.uploads.content_types.allows("anything/at-all"));
    assert_eq!(
        (settings.auth, settings.notify.topic),
        (Auth::Required, None)
    );
    assert_eq!(settings.s3.switches.put_if_none_match, super::Switch::Auto);
    assert!(!settings.s3.path_style);
    assert!(settings.database.migrate);
}

#[test]
fn load_reports_all_faults_at_once_with_expected_values() {
    let faults = load(&[
        ("DATABASE_URL", ""),
        ("BROKER_BIND", "localhost"),
        ("BROKER_CORS_ORIGINS", "*"),
        ("BROKER_S3_BUCKET", "My_Bucket"),
        ("BROKER_URL_SECONDS", "604801"),
        ("BROKER_SNS_TOPIC_ARN", "topic"),
        ("BROKER_MIGRATE", "maybe"),
    ])
    .expect_err("seven faults");
    let starts: Vec<&str> = faults
        .iter()
        .filter_map(|fault| fault.split(": ").next())
        .collect();
    assert_eq!(
        starts,
        [
            "DATABASE_URL",
            "BROKER_MIGRATE=\"maybe\"",
            "BROKER_BIND=\"localhost\"",
            "BROKER_CORS_ORIGINS=\"*\"",
            "BROKER_S3_BUCKET=\"My_Bucket\"",
            "BROKER_URL_SECONDS=\"604801\"",
            "BROKER_SNS_TOPIC_ARN=\"topic\"",
        ]
    );
    let all = faults.join("\n");
    assert!(
        all.contains("must be a whole number from 1 to 604800, in seconds"),
        "{all}"
    );
    assert!(all.contains("DATABASE_URL: must be set"), "{all}");
}

#[test]
fn load_rejects_each_invalid_value_with_one_fault() {
    for (name, bad) in [
        ("DATABASE_URL", "mysql://db/x"),
        ("DATABASE_URL", "postgres:db"),
        ("DATABASE_URL", "host=db password=hunter2"),
        (
            "BROKER_S3_PUBLIC_ENDPOINT",
            "https://me:hunter2@s3.example.com",
        ),
        ("BROKER_S3_BUCKET", "ab"),
        ("BROKER_S3_BUCKET", "-abc"),
        ("BROKER_S3_BUCKET", "a..b"),
        ("BROKER_S3_BUCKET", "10.0.0.1"),
        ("BROKER_S3_PUBLIC_ENDPOINT", "https://s3.example.com/?a=b"),
        ("BROKER_S3_PUBLIC_ENDPOINT", "https://s3.example.com/#a"),
        ("AWS_ENDPOINT_URL_S3", "s3.example.com:9000"),
        ("AWS_ENDPOINT_URL", "https://s3.example.com/?a=b"),
        ("BROKER_S3_PUBLIC_ENDPOINT", "ftp://s3.example.com"),
        ("BROKER_CORS_ORIGINS", "https://app.example.com/"),
        ("BROKER_CORS_ORIGINS", "https://app.example.com:443"),
        (
            "BROKER_CORS_ORIGINS",
            "https://a.example,,https://b.example",
        ),
        ("BROKER_CORS_ORIGINS", "app.example.com"),
        ("BROKER_CORS_HEADERS", "*"),
        ("BROKER_CORS_HEADERS", "x my trace"),
        ("BROKER_CORS_ORIGINS", "null"),
        ("BROKER_METRICS_BIND", "127.0.0.1:8080"),
        ("BROKER_DOCS_BIND", "127.0.0.1:8080"),
        ("BROKER_DOCS", "maybe"),
        ("BROKER_S3_SSE", "AES"),
        ("BROKER_S3_SSE_KMS_KEY_ID", "alias/data"),
        ("BROKER_RATE_LIMIT_PER_KEY", "many"),
        ("BROKER_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("BROKER_NOTIFY", "dataset.uploaded,dataset.gone"),
        ("BROKER_MAX_SIZE_BYTES", "53687091200001"),
        ("BROKER_DB_POOL_SIZE", "0"),
        ("BROKER_JANITOR_PERIOD_SECONDS", "-1"),
        ("BROKER_STALE_MULTIPART_SECONDS", "3599"),
        ("BROKER_STALE_MULTIPART_SECONDS", "7d"),
        ("BROKER_ALLOWED_CONTENT_TYPES", "csv"),
        (
            "BROKER_SNS_TOPIC_ARN",
            "arn:aws:sqs:eu-west-1:123456789012:name",
        ),
        ("BROKER_S3_EVENTS_QUEUE_URL", "https://me:hunter2@sqs/1/q"),
        ("BROKER_LOG_FORMAT", "xml"),
        ("BROKER_AUTH", "none"),
        ("BROKER_AUDIT", "no"),
    ] {
        let faults = load(&[(name, bad)]).map(|_| ()).expect_err(bad);
        assert_eq!(faults.len(), 1, "{name}={bad}: {faults:?}");
        assert!(faults[0].starts_with(name), "{name}={bad}: {faults:?}");
        assert!(!faults[0].contains("hunter2"), "{faults:?}");
    }
}

#[test]
fn authentication_can_only_be_disabled_on_loopback_address() {
    let off = ("BROKER_AUTH", "off");
    for bind in ["127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert_eq!(good(&[off, ("BROKER_BIND", bind)]).auth, Auth::Off);
    }
    for bind in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80"] {
        let faults = load(&[off, ("BROKER_BIND", bind)])
            .map(|_| ())
            .expect_err(bind);
        assert!(
            faults[0].contains("off is only allowed on a loopback address"),
            "{faults:?}"
        );
    }
}

#[test]
fn custom_endpoint_implies_path_style_unless_configured() {
    for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
        let custom = (name, "http://127.0.0.1:9000");
        assert!(good(&[custom]).s3.path_style, "{name}");
        assert!(
            !good(&[custom, ("BROKER_S3_PATH_STYLE", "false")])
                .s3
                .path_style
        );
    }
}

#[test]
fn lists_and_arns_are_parsed() {
    let settings = good(&[
        ("BROKER_ALLOWED_CONTENT_TYPES", "text/csv, image/*"),
        (
            "BROKER_CORS_ORIGINS",
            "https://a.example,http://localhost:3000",
        ),
        (
            "BROKER_SNS_TOPIC_ARN",
            "arn:aws-cn:sns:cn-north-1:123456789012:events.fifo",
        ),
    ]);
    let types = &settings.uploads.content_types;
    assert!(types.allows("Text/CSV; charset=utf-8") && types.allows("image/png"));
    assert!(!types.allows("text/csvx") && !types.allows("images/png") && !types.allows(""));
    assert_eq!(
        settings.http.cors_origins,
        ["https://a.example", "http://localhost:3000"]
    );
    let topic = settings.notify.topic.expect("a topic");
    assert!(topic.is_fifo());
    assert_eq!(topic.region(), "cn-north-1");
}

#[test]
fn debug_output_and_report_contain_no_secret() {
    let settings = good(&[
        (
            "DATABASE_URL",
            "postgres://u:hunter2@h/db?password=hunter2&sslmode=require",
        ),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_ENDPOINT_URL_S3", "http://me:hunter2@127.0.0.1:9000"),
    ]);
    for shown in [format!("{settings:?}"), settings.report()] {
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains("postgres://u:***@h/db?password=***&sslmode=require"),
            "{shown}"
        );
    }
    assert!(settings.database.url.expose().contains("hunter2"));
}

#[test]
fn report_shows_every_variable_once_with_its_origin() {
    let settings = good(&[("BROKER_URL_SECONDS", "60")]);
    let names: Vec<&str> = settings
        .effective()
        .iter()
        .map(|line| line.variable.name)
        .collect();
    let known: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(names, known);
    let report = settings.report();
    let line = |name: &str| {
        report
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a line")
    };
    let words = |name: &str| line(name).split_whitespace().skip(1).collect::<Vec<_>>();
    assert_eq!(words("BROKER_URL_SECONDS"), ["set", "60"]);
    assert_eq!(words("BROKER_EXPIRY_GRACE_SECONDS"), ["default", "900"]);
    assert_eq!(words("BROKER_S3_PATH_STYLE"), ["default", "false"]);
    assert_eq!(words("BROKER_SNS_TOPIC_ARN"), ["not", "set", "-"]);
    assert!(markdown_table().lines().count() == known.len() + 2);
}

#[test]
fn load_looks_up_exactly_the_variables_of_the_table() {
    let asked = RefCell::new(BTreeSet::new());
    let lookup = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        GOOD.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| (*text).to_owned())
    };
    Settings::load(lookup).expect("settings without a fault");
    let known = VARIABLES
        .iter()
        .map(|variable| variable.name.to_owned())
        .collect();
    assert_eq!(asked.into_inner(), known);
}
