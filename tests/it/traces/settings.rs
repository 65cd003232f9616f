//! `check-config` names what is wrong with the settings of traces and reports, and shows no secret.

use crate::support::process::Run;

/// A secret in settings.
const SECRET: &str = "sesame-open-now";

fn check_config(settings: &[(&str, &str)]) -> Run {
    let run = Run::new(&["check-config"])
        .set("DATABASE_URL", "postgres://broker@db/broker")
        .set("BROKER_S3_BUCKET", "datasets");
    (settings.iter()).fold(run, |run, (name, value)| run.set(name, value))
}

#[tokio::test]
async fn bad_settings_are_refused_by_name() {
    let bad = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://me:sesame-open-now@collector",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://collector/?key=sesame-open-now",
        ),
        ("OTEL_EXPORTER_OTLP_HEADERS", "sesame-open-now"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x y=sesame-open-now"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x=sesame-open-now%0A"),
        ("OTEL_EXPORTER_OTLP_HEADERS_FILE", "/nowhere"),
        ("OTEL_RESOURCE_ATTRIBUTES", "production"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "NaN"),
        ("BROKER_SENTRY_DSN", "https://sesame-open-now.example.com/1"),
        (
            "BROKER_SENTRY_DSN",
            "https://sesame-open-now@example.com/project",
        ),
        (
            "BROKER_SENTRY_DSN",
            "https://key:sesame-open-now@example.com/1",
        ),
        ("BROKER_SENTRY_DSN", "sesame-open-now"),
        ("BROKER_SENTRY_DSN_FILE", "/nowhere"),
        ("BROKER_SENTRY_ENVIRONMENT", "our production"),
    ];
    for (name, value) in bad {
        let ended = check_config(&[(name, value)]).finish().await;
        assert_eq!(ended.status.code(), Some(78), "{name}={value}: {ended:#?}");
        let faults: Vec<&str> = ended.err.lines().skip(1).collect();
        assert_eq!(faults.len(), 1, "{name}={value}: {ended:#?}");
        assert!(
            faults[0].trim().starts_with(name),
            "{name}={value}: {faults:?}"
        );
        assert!(!ended.err.contains(SECRET), "{name}={value}: {ended:#?}");
    }
}

#[tokio::test]
async fn good_settings_are_shown_without_secrets() {
    let ended = check_config(&[
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://collector.example.com/otlp",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Basic%20sesame-open-now",
        ),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=uploads,zone=a"),
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        (
            "BROKER_SENTRY_DSN",
            "https://sesame-open-now@o1.ingest.example.com/42",
        ),
    ]);
    let shown = ended.finish().await.ok().out;
    assert!(!shown.contains(SECRET), "{shown}");
    let value = |name: &str| {
        let line = shown
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        let line = line.unwrap_or_else(|| panic!("no {name} in {shown}"));
        line.split_whitespace().last().expect("a value").to_owned()
    };
    for (name, expected) in [
        ("OTEL_SERVICE_NAME", "uploads"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "***"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ("BROKER_SENTRY_DSN", "***"),
        ("BROKER_SENTRY_ENVIRONMENT", "production"),
    ] {
        assert_eq!(value(name), expected, "{shown}");
    }
}
