"""Copies of the chart with one fault each, and values that the chart must refuse."""

import contextlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .helm import CHART


@dataclass
class Broken:
    """One fault: `old` becomes `new` in `file`; `rule` must then report a fault that contains `fault`."""

    name: str
    file: str
    old: str
    new: str
    rule: str
    fault: str
    values: str = "minimal"


RESTART = "a changed setting starts new pods"
VALID, HOOKS, REPLICAS = "valid for the oldest and the newest Kubernetes", "hooks need what exists", "one owner of replicas"
PROBES, SELECTORS, ROLES = "probes need no key", "selectors select", "each role runs, and stops in time"
PODS, NAMES, CUSTOM = "pods are restricted", "names fit", "valid custom resources"
POD = "templates/_pod.tpl"

BROKEN = [
    Broken("a template that is no YAML", "templates/config.yaml", "metadata:", "metadata", VALID, "config.yaml"),
    Broken("a template with an unknown function", "templates/config.yaml", "| trim |", "| trimm |", VALID, "trimm"),
    Broken("a misspelled member of a pod", POD, "enableServiceLinks", "enableServiceLink", VALID, "enableServiceLink"),
    Broken("a member that the oldest version lacks", POD, "revisionHistoryLimit: 3",
           "revisionHistoryLimit: 3\n  podReplacementPolicy: Failed", VALID, "podReplacementPolicy"),
    Broken("a value of another type", POD, "maxSurge: 1", "maxSurge: [1]", VALID, "Kubernetes 1.27"),
    Broken("a migration with the ServiceAccount of the chart", "templates/migrate.yaml", "restartPolicy: Never",
           'restartPolicy: Never\n      serviceAccountName: {{ include "upload-broker.serviceAccount" . }}',
           HOOKS, "needs ServiceAccount"),
    Broken("a migration with the ConfigMap of the chart", "templates/migrate.yaml", "          env:\n",
           '          envFrom: [{configMapRef: {name: {{ include "upload-broker.fullname" . }}}}]\n          env:\n',
           HOOKS, "needs ConfigMap"),
    Broken("replicas beside the autoscaler of the API", POD, "{{- if not .scaled }}", "{{- if true }}",
           REPLICAS, "replicas beside HorizontalPodAutoscaler", "pod-identity"),
    Broken("replicas beside KEDA", POD, "{{- if not .scaled }}", "{{- if true }}", REPLICAS,
           "replicas beside ScaledObject", "processing"),
    Broken("no replicas at all", POD, "{{- if not .scaled }}", "{{- if false }}", REPLICAS, "neither replicas"),
    Broken("an autoscaler of a Deployment that does not exist", "templates/worker-autoscaling.yaml",
           "    name: {{ $name }}\n  min", "    name: workers\n  min", REPLICAS, "no Deployment workers", "pod-identity"),
    Broken("no checksum of the settings", POD, "checksum/settings:", "x/{{ .component }}: x #", RESTART, "no new pods"),
    Broken("a probe of a path with a key", POD, "path: /readyz", "path: /uploads", PROBES, "requests /uploads"),
    Broken("a liveness probe that depends on Postgres", POD, "livenessProbe:\n            httpGet: {path: /livez",
           "livenessProbe:\n            httpGet: {path: /readyz", PROBES, "livenessProbe requests /readyz"),
    Broken("a probe with a header", POD, "scheme: {{", "httpHeaders: [{name: Authorization, value: x}], scheme: {{",
           PROBES, "httpHeaders"),
    Broken("probes without TLS of a port with TLS", POD, 'ternary "HTTPS" "HTTP"', 'ternary "HTTP" "HTTP"', PROBES,
           "and HTTPS", "other-store"),
    Broken("a Service that selects nothing", "templates/http.yaml", "component: http\n  ports", "component: api\n  ports",
           SELECTORS, "selects no pod"),
    Broken("an Ingress to another port", "templates/ingress.yaml", 'number: {{ include "upload-broker.servicePort" $ }}',
           "number: 8080", SELECTORS, "with the port 8080", "nginx"),
    Broken("a ServiceMonitor of the API's Service", "templates/monitoring.yaml",
           '$ | nindent 6 }}\n      app.kubernetes.io/component: metrics', '$ | nindent 6 }}\n      app.kubernetes.io/component: http',
           SELECTORS, "must select one Service", "eks"),
    Broken("a role that runs nowhere", "templates/background.yaml", "relay,janitor,events", "relay,janitor", ROLES,
           "the role events"),
    Broken("pods that migrate", POD, 'name: BROKER_MIGRATE\n              value: "false"',
           'name: BROKER_MIGRATE\n              value: "true"', ROLES, "BROKER_MIGRATE must be false"),
    Broken("less time than the broker needs to stop", POD, "add .role.shutdownSeconds 10", "sub .role.shutdownSeconds 10",
           ROLES, "terminationGracePeriodSeconds is"),
    Broken("another port than the bound one", "templates/worker.yaml", "0.0.0.0:8080", "0.0.0.0:8081", ROLES, "ports are not"),
    Broken("a root that may be written", "templates/_helpers.tpl", "readOnlyRootFilesystem: true",
           "readOnlyRootFilesystem: false", PODS, "read-only root"),
    Broken("a pod with a token of Kubernetes", POD, "automountServiceAccountToken: false",
           "automountServiceAccountToken: true", PODS, "automountServiceAccountToken"),
    Broken("a container with capabilities", "templates/_helpers.tpl", "drop: [ALL]", "drop: [NET_RAW]", PODS, "capabilities"),
    Broken("a pod of root", "templates/_helpers.tpl", "runAsUser: 10001", "runAsUser: 0", PODS, "user 10001"),
    Broken("two objects of one name", "templates/config.yaml", "}}-rules", "}}", NAMES, "exists twice", "processing"),
    Broken("a misspelled member of a ServiceMonitor", "templates/monitoring.yaml", "interval: ", "intervall: ", CUSTOM,
           "intervall", "eks"),
    Broken("a ServiceMonitor without endpoints", "templates/monitoring.yaml", "  endpoints:\n", "  endpoint:\n", CUSTOM,
           "endpoints", "eks"),
    Broken("a misspelled member of a ScaledObject", "templates/worker-autoscaling.yaml", "minReplicaCount", "minReplicas",
           CUSTOM, "minReplicas", "eks"),
    Broken("a trigger without metadata", "templates/worker-autoscaling.yaml", "aws-sqs-queue\n      metadata:",
           "aws-sqs-queue\n      data:", CUSTOM, "metadata", "eks"),
    Broken("a custom resource of another version", "templates/worker-autoscaling.yaml", "keda.sh/v1alpha1\nkind: TriggerA",
           "keda.sh/v1\nkind: TriggerA", CUSTOM, "apiVersion must be", "eks"),
]


def _second_owner(objects):
    found = next(one for one in objects if one["kind"] == "HorizontalPodAutoscaler")
    objects.append({**found, "metadata": {"name": "other"}})


# A change of the rendered objects: what it is, the rule, the values, the change, the fault.
BROKEN_OBJECTS = [
    ("two autoscalers of one Deployment", REPLICAS, "pod-identity", _second_owner, "scales"),
]

# What is wrong, the values it is added to, the options that add it, the fault.
REFUSED_VALUES = [
    ("an unknown value", "minimal", ["--set", "http.replica=3"], "replica"),
    ("an unknown value at the top", "minimal", ["--set", "postgresql.enabled=true"], "postgresql"),
    ("a value of another type", "minimal", ["--set", "http.replicas=two"], "replicas"),
    ("no Secret of the database", "minimal", ["--set", "database.existingSecret="], "create a Secret"),
    ("a setting that the chart makes", "minimal", ["--set", "settings.BROKER_DB_HOST=db.example.com"], "BROKER_DB_HOST"),
    ("a mode of TLS that does not exist", "eks", ["--set", "database.sslMode=on"], "sslMode"),
    ("no bucket", "minimal", ["--set", "settings.BROKER_S3_BUCKET="], "name the bucket"),
    ("an Ingress without trusted proxies", "nginx", ["--set", "settings.BROKER_TRUSTED_PROXIES="],
     "BROKER_TRUSTED_PROXIES is missing"),
    ("an Ingress without hosts", "nginx", ["--set", "ingress.hosts=null"], "name the hosts"),
    ("a delay that is longer than the stop", "minimal", ["--set", "http.stopDelaySeconds=40"], "must be less than"),
    ("KEDA by a queue that is not set", "minimal", ["--set", "worker.autoscaling.kind=keda"], "BROKER_WORKER_QUEUE_URL"),
    ("KEDA by a Prometheus that is not set", "processing",
     ["--set", "worker.autoscaling.keda.prometheusUrl="], "prometheusUrl is missing"),
    ("no worker at all for waiting jobs", "eks", ["--set", "worker.autoscaling.minReplicas=0"], "minReplicas"),
    ("more replicas at least than at most", "eks", ["--set", "http.autoscaling.minReplicas=30"], "at most maxReplicas"),
    ("autoscaling without a request of CPU", "pod-identity", ["--set", "http.resources.requests.cpu=null"],
     "requests.cpu is missing"),
    ("two sources of rules", "processing", ["--set", "processingRules.existingConfigMap=rules"], "not both"),
    ("a role that is no ARN", "minimal", ["--set", "aws.roleArn=upload-broker"], "roleArn"),
]


@contextlib.contextmanager
def broken_chart(broken):
    """A copy of the chart with the fault."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / "upload-broker"
        shutil.copytree(CHART, chart)
        file = chart / broken.file
        text = file.read_text()
        if broken.old not in text:
            raise SystemExit(f"{broken.name}: {broken.file} does not contain {broken.old!r}; adapt {__file__}")
        file.write_text(text.replace(broken.old, broken.new))
        yield chart
