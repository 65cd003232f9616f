//! Which records are logged.

/// Libraries that narrate every call at `info` or below; some print headers at `trace`, and
/// headers hold credentials. Naming one in the filter overrides this.
const QUIET: &[&str] = &[
    "actix_http",
    "actix_server",
    "aws_config",
    "aws_credential_types",
    "aws_runtime",
    "aws_sdk_s3",
    "aws_sdk_sns",
    "aws_sigv4",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "rustls",
    "s3s",
    "tokio_postgres",
    "tracing",
];

/// `filter` with the quiet libraries before it: the later of two directives for one target wins.
/// A filter that is quieter than that for everything stays as it is.
pub(super) fn directives(filter: &str) -> String {
    let plain = filter.trim().to_ascii_lowercase();
    if matches!(plain.as_str(), "off" | "error" | "warn") {
        return plain;
    }
    let quiet = QUIET.iter().map(|target| format!("{target}=warn,"));
    quiet.chain([filter.to_owned()]).collect()
}
