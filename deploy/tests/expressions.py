"""Whether a running Prometheus has the series that the dashboard and the rules ask for."""

import re

from prometheus import NAMESPACE, Prometheus

# What the broker and the rules call their series.
NAME = re.compile(r"\bupload_broker[_:][a-z0-9_:]+")
COMPARISON = re.compile(r" (>=|<=|==|!=|>|<) ")


def panel_faults(prometheus: Prometheus, dashboard: dict, rare: dict[str, str]) -> list[str]:
    """The queries of the dashboard that find nothing, with the namespace that Grafana finds by itself, and with all of
    them. `rare` are names of series that are absent, with the reason."""
    faults = []
    variable = next(one for one in dashboard["templating"]["list"] if one["name"] == "namespace")
    series, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()
    choices = prometheus.ask(f"label/{label}/values", **{"match[]": series})
    if choices != [NAMESPACE]:
        faults.append(f"the choices of the namespace are {choices}")
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            for namespace in (NAMESPACE, variable["allValue"]):
                query = target["expr"].replace("$namespace", namespace).replace("$__rate_interval", "1m")
                labels = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                faults += query_faults(prometheus, f"panel {panel['title']} {target['refId']}", query, rare, labels)
    return faults


def query_faults(prometheus: Prometheus, where: str, query: str, rare: dict[str, str], labels=frozenset()) -> list[str]:
    """Whether a query finds series, all of which have these labels."""
    if "$" in query:
        return [f"{where}: has a variable that this test does not know: {query}"]
    expected = not set(NAME.findall(query)) & rare.keys()
    try:
        found = prometheus.query(query)
    except ValueError as error:
        return [f"{where}: {error}"]
    if expected != bool(found):
        return [f"{where}: shows {'nothing' if expected else 'series that were said to be absent'}: {query}"]
    missing = {label for label in labels for series in found if label not in series["metric"]}
    return [f"{where}: its series lack {', '.join(sorted(missing))}: {query}"] if missing else []


def rule_faults(prometheus: Prometheus, rare: dict[str, str]) -> list[str]:
    """The rules that Prometheus cannot evaluate, or whose series do not exist."""
    faults, names = [], prometheus.series_names()
    for rule in prometheus.rules():
        name, expression = rule["name"], rule["query"]
        if rule["health"] != "ok" or rule.get("lastError"):
            faults.append(f"{name}: {rule['health']}: {rule.get('lastError')}")
        faults += [f"{name}: there is no series {one}" for one in sorted(set(NAME.findall(expression)) - names)]
        faults += query_faults(prometheus, name, without_conditions(expression), {})
    return faults


def without_conditions(expression: str) -> str:
    """The same series whether or not something is wrong: a comparison gives 0 or 1, what excludes series requires them,
    and the past is now."""
    expression = COMPARISON.sub(r" \1 bool ", expression)
    expression = re.sub(r" offset \w+", "", expression).replace(" unless ", " and ")
    return expression.replace("absent(", "count(")
