"""Checks the Helm chart: every way to use it in `ci`, each rule, and that each check refuses a broken chart."""

from lib import chart_rules as rules
from lib.broken_charts import BROKEN, BROKEN_OBJECTS, REFUSED_VALUES, broken_chart
from lib.custom_resources import resource_faults
from lib.helm import CHART, Refused, lint, refusal, render, variants
from lib.kubernetes import NEWEST, OLDEST, schema_faults, version_faults
from lib.pods import public_paths
from lib.report import Report

LONG = "a-release-with-the-longest-name-that-helm-permits-123"


def validators():
    """Each rule by its name, which takes the objects of a release."""
    public = public_paths()
    return {
        "valid for the oldest and the newest Kubernetes": schema_faults,
        "hooks need what exists": rules.hooks_need_what_exists,
        "one owner of replicas": rules.one_owner_of_replicas,
        "probes need no key": lambda objects: rules.probes_need_no_key(objects, public),
        "selectors select": rules.selectors_select,
        "each role runs, and stops in time": rules.roles_run,
        "pods are restricted": rules.pods_are_restricted,
        "names fit": rules.names_fit,
        "valid custom resources": resource_faults,
    }


def check_variants(report, all_validators):
    """Every values file, by all validators."""
    each = dict(all_validators)
    resources = each.pop("valid custom resources")
    custom = []
    for values in variants():
        name = values.name.removesuffix("-values.yaml")
        report.check(f"{name}: lint", lint(values))
        objects = render(values, kube_version=NEWEST)
        report.check(f"{name}: the same for Kubernetes {OLDEST}",
                     [] if objects == render(values, kube_version=OLDEST) else ["the objects differ"])
        for rule, validate in each.items():
            report.check(f"{name}: {rule}", validate(objects))
        report.check(f"{name}: a changed setting starts new pods", rules.config_restarts(
            objects, render(values, "--set", "settings.BROKER_URL_SECONDS=901")))
        report.check(f"{name}: names fit with the longest release", rules.names_fit(render(values, release=LONG)))
        custom += objects
    report.check("all: valid custom resources", resources(custom))
    toml = CHART / "ci/processing-values.yaml"
    report.check("processing: changed rules start new pods", rules.config_restarts(
        render(toml), render(toml, "--set", "processingRules.toml=#")))


def faults_of(validate, values, chart, before):
    """The faults of a broken chart, also if Helm refuses it at once."""
    try:
        objects = render(values, chart=chart)
        changed = ["--set", "settings.BROKER_URL_SECONDS=901"]
        return before(objects, render(values, *changed, chart=chart)) if validate is None else validate(objects)
    except Refused as fault:
        return [str(fault)]


def check_refusals(report, all_validators):
    """Broken copies of the chart, broken objects, and values that contradict each other."""
    for broken in BROKEN:
        with broken_chart(broken) as chart:
            validate = all_validators.get(broken.rule)
            faults = faults_of(validate, chart / f"ci/{broken.values}-values.yaml", chart, rules.config_restarts)
        report.refuses(broken.name, faults, broken.fault)
    for name, rule, values, change, fault in BROKEN_OBJECTS:
        objects = render(CHART / f"ci/{values}-values.yaml")
        change(objects)
        report.refuses(name, all_validators[rule](objects), fault)
    for name, values, options, fault in REFUSED_VALUES:
        report.refuses(name, refusal(CHART / f"ci/{values}-values.yaml", *options), fault)
    with broken_chart(BROKEN[0]) as chart:
        report.refuses("a broken template by lint", lint(chart / "ci/minimal-values.yaml", chart), "config.yaml")
    report.refuses("a Kubernetes older than the oldest", refusal(
        CHART / "ci/minimal-values.yaml", "--kube-version", "1.26"), "1.26")


def main():
    report = Report("chart")
    all_validators = validators()
    report.check("Chart.yaml names the oldest Kubernetes", version_faults((CHART / "Chart.yaml").read_text()))
    report.check("needs no other chart", [] if "dependencies" not in (CHART / "Chart.yaml").read_text() else [
        "Chart.yaml: has dependencies; operators bring their own Postgres"])
    report.check("accepts the version of a cluster of EKS", refusal(
        CHART / "ci/minimal-values.yaml", "--kube-version", "1.33.4-eks-99d6cc0"))
    check_variants(report, all_validators)
    check_refusals(report, all_validators)
    report.finish()


if __name__ == "__main__":
    main()
