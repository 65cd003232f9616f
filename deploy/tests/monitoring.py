"""A Prometheus with deploy/monitoring/rules.yaml scrapes two brokers and a worker under load: every panel of the
dashboard shows something, every rule finds its series, and alerts hold if something is wrong, and only then. One
trace leads from a request to its notification.

Run it with benches/with-postgres.sh, which sets DATABASE_URL."""

import json
import tempfile
import time
import uuid
from pathlib import Path

import rare
from collector import Collector, Span
from expressions import panel_faults, rule_faults
from fleet import BUCKET, PLAYS_RULES, Replica, Store, Worker, call, create_and_put, make_key, stop_all, upload
from prometheus import NAMESPACE, Prometheus
from proxy import Proxy
from stack import ROOT, broker, run, wait_for
from users import Users

# stack.py has added the folder of the checks to the path.
from lib.metrics_table import metrics  # noqa: E402

DASHBOARD = ROOT / "deploy/monitoring/dashboard.json"
JOBS = 12
# Series that are absent in this test.
RARE = {
    "upload_broker_textract_call_duration_seconds_count": "ministack has no Textract",
}
# Alerts that may hold at a healthy load. The others may not.
ALLOWED = {"UploadBrokerSlow"}  # It is about the machine as well, which may have other work.
# The alerts for what rare.py makes happen, as far as it is enough for them.
WRONG = {"UploadBrokerDatasetsDrifted"}


class Scene:
    def __init__(self, folder: Path):
        self.folder, self.program, self.processes = folder, broker(), []

    def topic_and_queue(self) -> dict[str, str]:
        """S3 sends an event to the queue for each object that arrives or is removed."""
        topic = self.store.client("sns").create_topic(Name="events")["TopicArn"]
        sqs = self.store.client("sqs")
        queue = sqs.create_queue(QueueName="objects")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        notified = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        self.store.client("s3").put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [notified]}
        )
        return {"BROKER_SNS_TOPIC_ARN": topic, "BROKER_S3_EVENTS_QUEUE_URL": queue}

    def start(self) -> None:
        self.store = Store(self.folder, "s3,sns,sqs")
        self.processes.append(self.store.process)
        self.collector = Collector()
        rules = self.folder / "rules.toml"
        rules.write_text(PLAYS_RULES)
        settings = {
            **self.topic_and_queue(),
            "BROKER_PROCESSORS_FILE": str(rules),
            "BROKER_JANITOR_PERIOD_SECONDS": "5",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.collector.url,
            # Only what a caller asks for is recorded.
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
            # A machine with other work on it may be slow: that is no error, as long as it answers.
            "BROKER_REQUEST_TIMEOUT_SECONDS": "40", "BROKER_DB_POOL_WAIT_SECONDS": "20",
            "BROKER_DB_CONNECT_TIMEOUT_SECONDS": "20", "BROKER_DB_STATEMENT_TIMEOUT_SECONDS": "30",
            "BROKER_AWS_CONNECT_TIMEOUT_SECONDS": "10",
            "BROKER_AWS_ATTEMPT_TIMEOUT_SECONDS": "15", "BROKER_AWS_TIMEOUT_SECONDS": "30",
        }
        self.replicas = [Replica(self.folder, self.store, name, **settings) for name in ("one", "other")]
        self.worker = Worker(self.folder, self.store, "worker", **settings)
        self.replicas[0].command(self.program, "migrate")
        for process in (*self.replicas, self.worker):
            process.start(self.program)
            self.processes.append(process.process)
        self.key = make_key(self.replicas[0], self.program)["key"]
        self.proxy = Proxy(self.folder, "compose", [replica.port for replica in self.replicas])
        self.processes.append(self.proxy.process)
        self.prometheus = Prometheus(self.folder, [one.metrics for one in (*self.replicas, self.worker)])
        self.processes.append(self.prometheus.process)

    def status(self, upload_id: str) -> str:
        return call(self.key, self.proxy.port, "GET", f"/uploads/{upload_id}")["status"]


def become_empty(what: str, faults) -> None:
    """Waits until each fault that a function finds is gone in one of its calls: Prometheus needs some scrapes to see
    what has happened, and misses some on a machine with other work."""
    left = set(faults())

    def none():
        left.intersection_update(faults() if left else ())
        return not left

    try:
        wait_for(what, none, 90)
    except AssertionError:
        raise AssertionError("\n        ".join([f"{len(left)} faults", *sorted(left)])) from None


def no_alert_holds_under_load(scene: Scene):
    users = Users(scene.folder, scene.proxy.port, scene.key, 4)
    try:
        plays = b"Song,Plays\n" + b"Intro,2\nOutro,3\n" * 500
        uploads = [upload(scene.key, scene.proxy.port, f"/plays/{number}.csv", plays) for number in range(JOBS)]
        for one in uploads:
            wait_for("a job", lambda one=one: scene.status(one) == "Processed")
        ended = 'sum(upload_broker_job_attempts_ended_total{outcome="succeeded"})'
        wait_for("the jobs in Prometheus", lambda: scene.prometheus.value(ended) == JOBS)
        wait_for("the targets", lambda: len(scene.prometheus.query("up == 1")) == 3)
        # Before a round of the janitor has finished since the first scrape, it counts as stopped, which fires after minutes.
        rounds = 'sum(increase(upload_broker_janitor_rounds_total{outcome="finished"}[30m]))'
        wait_for("a round of the janitor", lambda: scene.prometheus.value(rounds) > 0)
        wait_for("the end of all alerts", lambda: not scene.prometheus.alerts() - ALLOWED)
        for _ in range(10):
            assert not scene.prometheus.alerts() - ALLOWED, scene.prometheus.alerts()
            time.sleep(1)
        assert scene.prometheus.value("sum(upload_broker:http_requests:rate5m)") > 0
    finally:
        requests = users.stop(may_fail=True)
    print(f"    {requests} requests, {JOBS} jobs")


def alerts_hold_for_what_is_wrong(scene: Scene):
    rare.all_happens(scene.replicas, scene.store, scene.key, scene.program)
    become_empty("the alerts", lambda: WRONG - scene.prometheus.alerts())


def every_panel_shows_something(scene: Scene):
    undeclared = RARE.keys() - metrics().keys()
    assert not undeclared, undeclared
    dashboard = json.loads(DASHBOARD.read_text())
    become_empty("the panels", lambda: panel_faults(scene.prometheus, dashboard, RARE))
    queries = sum(len(panel.get("targets", [])) for panel in dashboard["panels"])
    print(f"    {queries} queries")


def a_dashboard_with_a_misspelled_name_is_refused(scene: Scene):
    text = DASHBOARD.read_text()
    for right, wrong in (("upload_broker_jobs_running", "upload_broker_job_running"), ("by (status)", "by (state)")):
        assert right in text, right
        faults = panel_faults(scene.prometheus, json.loads(text.replace(right, wrong)), RARE)
        assert any(wrong in fault for fault in faults), faults


def every_rule_finds_its_series(scene: Scene):
    become_empty("the rules", lambda: rule_faults(scene.prometheus, RARE))
    print(f"    {len(scene.prometheus.rules())} rules")


def a_trace_leads_from_a_request_to_its_notification(scene: Scene):
    wanted = {"POST /uploads/{id}/acknowledge", "Postgres", "HeadObject", "publish dataset.uploaded", "SNS PublishBatch"}
    caller = "b7ad6b7169203331"

    def spans_of_a_new_upload() -> list[Span]:
        trace = uuid.uuid4().hex
        session = create_and_put(scene.key, scene.proxy.port, f"/traced/{trace}.csv", b"ok")
        proven = call(scene.key, scene.proxy.port, "POST", f"/uploads/{session['id']}/acknowledge", {},
                      traceparent=f"00-{trace}-{caller}-01")
        if proven["verification"]["by"] != "acknowledge":
            return []  # The event of S3 came first: it is a trace of its own.

        def found() -> list[Span]:
            spans = [span for span in scene.collector.spans if span.trace == trace]
            return spans if wanted <= {span.name for span in spans} else []

        return wait_for("the spans", found)

    spans = wait_for("an acknowledge request before the event of S3", spans_of_a_new_upload)
    ids = {span.id for span in spans}
    # A request that got 503 was repeated.
    top = {(span.name, span.parent) for span in spans if span.parent not in ids}
    assert top == {("POST /uploads/{id}/acknowledge", caller)}, spans
    print(f"    {len(spans)} spans")


def a_stopped_replica_is_seen(scene: Scene):
    scene.replicas[1].stop()
    gone = f"127.0.0.1:{scene.replicas[1].metrics}"
    wait_for("the missing target", lambda: [one["metric"]["instance"] for one in scene.prometheus.query("up == 0")] == [gone])
    processes = next(panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["title"] == "Processes")
    query = processes["targets"][0]["expr"].replace("$namespace", NAMESPACE)
    assert scene.prometheus.value(query) == 2, scene.prometheus.query(query)


TESTS = [
    no_alert_holds_under_load, a_trace_leads_from_a_request_to_its_notification, alerts_hold_for_what_is_wrong,
    every_panel_shows_something, a_dashboard_with_a_misspelled_name_is_refused, every_rule_finds_its_series,
    a_stopped_replica_is_seen,
]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="deploy-") as name:
        scene = Scene(Path(name))
        try:
            scene.start()
            run([(f"monitoring: {test.__name__.replace('_', ' ')}", lambda test=test: test(scene)) for test in TESTS])
        finally:
            stop_all(*reversed(scene.processes))
