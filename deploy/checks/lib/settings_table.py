"""The table of all settings, as `src/config/variables.rs` declares it."""

import re

from .report import ROOT

TABLE = "src/config/variables.rs"
ROW = re.compile(r"^    ([A-Z][A-Z0-9_]*), [^\n]*, (Plain|Secret|Url), \"", re.MULTILINE)

# Settings that the chart makes itself, from other values, or that make no sense in a pod.
OF_THE_CHART = {
    "DATABASE_URL": "database.existingSecret",
    "DATABASE_URL_FILE": "database.existingSecret",
    "BROKER_DB_HOST": "database.host",
    "BROKER_DB_PORT": "database.port",
    "BROKER_DB_NAME": "database.name",
    "BROKER_DB_USER": "database.user",
    "BROKER_DB_PASSWORD": "database.existingSecret",
    "BROKER_DB_PASSWORD_FILE": "database.passwordKey",
    "BROKER_DB_SSLMODE": "database.sslMode",
    "BROKER_DB_SSLROOTCERT": "database.caConfigMap",
    "BROKER_MIGRATE": "migrate",
    "BROKER_ROLES": "the Deployment",
    "BROKER_BIND": "the Deployment",
    "BROKER_WORKER_BIND": "the Deployment",
    "BROKER_METRICS": "always on, on a port of its own",
    "BROKER_METRICS_BIND": "the Deployment",
    "BROKER_DOCS_BIND": "the Service has no port for it",
    "BROKER_TLS_CERT": "tls.existingSecret",
    "BROKER_TLS_KEY": "tls.existingSecret",
    "BROKER_AUTH": "only a loopback address may be without authentication",
    "BROKER_SHUTDOWN_SECONDS": "shutdownSeconds",
    "BROKER_STOP_DELAY_SECONDS": "http.stopDelaySeconds",
    "BROKER_WORKER_SCRATCH": "worker.scratchSize",
    "BROKER_PROCESSORS_FILE": "processingRules",
    "BROKER_DEV_DIR": "dev only",
    "BROKER_DEV_S3_BIND": "dev only",
    "AWS_CA_BUNDLE": "aws.caConfigMap",
    "AWS_ROLE_ARN": "aws.roleArn",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "EKS",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "EKS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "ECS",
    "AWS_PROFILE": "a pod has no profiles",
    "AWS_CONFIG_FILE": "a pod has no profiles",
    "AWS_SHARED_CREDENTIALS_FILE": "a pod has no profiles",
    "SSL_CERT_FILE": "database.caConfigMap, aws.caConfigMap",
    "SSL_CERT_DIR": "database.caConfigMap, aws.caConfigMap",
}


def settings():
    """The name of each setting, with how it may be shown: `Plain`, `Secret` or `Url`."""
    rows = dict(ROW.findall((ROOT / TABLE).read_text()))
    if len(rows) < 80:
        raise SystemExit(f"{TABLE}: only {len(rows)} settings found; adapt the pattern in {__file__}")
    return rows


def secrets():
    """The settings that `secretSettings` of the chart may have."""
    return sorted(name for name, show in settings().items() if show == "Secret" and name not in OF_THE_CHART)


def plain():
    """The settings that `settings` of the chart may have."""
    return sorted(name for name, show in settings().items() if show != "Secret" and name not in OF_THE_CHART)
