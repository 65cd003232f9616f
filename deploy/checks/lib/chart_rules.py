"""What the objects of a release must fulfil beyond the schemas of Kubernetes."""

from .pods import containers, hook, name, of_kind, references, selects, template, variable

BEFORE = ("pre-install", "pre-upgrade")
ROLES = {"http", "relay", "janitor", "events"}


def hooks_need_what_exists(objects):
    """A hook that runs before the release uses nothing that the release makes, except earlier hooks."""
    faults = []
    made = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    for one in of_kind(objects, "Job", "Pod"):
        events, weight = hook(one)
        if not set(events) & set(BEFORE):
            continue
        for wanted in sorted(references(one)):
            if wanted not in made:
                continue
            other_events, other_weight = hook(made[wanted])
            if not set(events) <= set(other_events) or other_weight >= weight:
                faults.append(f"{name(one)}: the hook {'/'.join(events)} needs {wanted[0]} {wanted[1]}, which is not "
                              "there yet; it may only use what exists before the installation")
    return faults


def one_owner_of_replicas(objects):
    """An autoscaler or the Deployment sets the number of replicas, never both."""
    faults, scaled = [], {}
    for one in of_kind(objects, "HorizontalPodAutoscaler", "ScaledObject"):
        target = one["spec"]["scaleTargetRef"]["name"]
        if target in scaled:
            faults.append(f"{name(one)}: {scaled[target]} scales {target} already")
        scaled[target] = name(one)
        low, high = (one["spec"].get(key) for key in (
            ("minReplicas", "maxReplicas") if one["kind"] != "ScaledObject" else ("minReplicaCount", "maxReplicaCount")))
        if not 1 <= low <= high:
            faults.append(f"{name(one)}: {low} to {high} replicas; at least 1, and the minimum at most the maximum")
    for one in of_kind(objects, "Deployment"):
        owner = scaled.pop(one["metadata"]["name"], None)
        if owner and "replicas" in one["spec"]:
            faults.append(f"{name(one)}: has replicas beside {owner}: every upgrade would reset what it has scaled")
        if not owner and "replicas" not in one["spec"]:
            faults.append(f"{name(one)}: has neither replicas nor an autoscaler")
    return faults + [f"{owner}: there is no Deployment {target}" for target, owner in scaled.items()]


def probes_need_no_key(objects, public):
    """Probes use the paths for them, which are public, and only readiness depends on other systems."""
    faults = []
    for one in of_kind(objects, "Deployment"):
        for container in containers(one):
            ports = {port["name"] for port in container.get("ports", [])}
            scheme = "HTTPS" if variable(container, "BROKER_TLS_CERT") else "HTTP"
            for kind, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
                probe = container.get(kind, {}).get("httpGet")
                where = f"{name(one)}: {kind}"
                if probe is None:
                    faults.append(f"{where} is missing; it is a GET of {path}")
                    continue
                if probe["path"] != path or path not in public:
                    faults.append(f"{where} requests {probe['path']}; {path} is the public path for it")
                if "httpHeaders" in probe:
                    faults.append(f"{where} has httpHeaders; no probe needs a key")
                if probe["port"] not in ports or probe.get("scheme", "HTTP") != scheme:
                    faults.append(f"{where}: must use a named port of the container, and {scheme}")
    return faults


def selectors_select(objects):
    """Each selector selects pods, of the intended roles only, and each backend is a port of a Service."""
    faults = []
    pods = [one for one in objects if template(one)]
    labels = {name(one): template(one)["metadata"]["labels"] for one in pods}
    for one in of_kind(objects, "Service", "PodDisruptionBudget", "NetworkPolicy"):
        selector = one["spec"].get("podSelector", one["spec"].get("selector"))
        chosen = [pod for pod in pods if selects(selector, labels[name(pod)])]
        if not chosen:
            faults.append(f"{name(one)}: selects no pod")
        if one["kind"] == "Service":
            port = one["spec"]["ports"][0]["targetPort"]
            with_port = [pod for pod in chosen if any(
                port == found["name"] for container in containers(pod) for found in container.get("ports", []))]
            if not with_port:
                faults.append(f"{name(one)}: no selected pod has a port {port}")
    for one in of_kind(objects, "ServiceMonitor"):
        chosen = [service for service in of_kind(objects, "Service")
                  if selects(one["spec"]["selector"], service["metadata"]["labels"])]
        wanted = one["spec"]["endpoints"][0]["port"]
        if [port["name"] for service in chosen for port in service["spec"]["ports"]] != [wanted]:
            faults.append(f"{name(one)}: must select one Service with the port {wanted}")
    services = {one["metadata"]["name"]: one for one in of_kind(objects, "Service")}
    for one in of_kind(objects, "Ingress"):
        for rule in one["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                ports = services.get(backend["name"], {}).get("spec", {}).get("ports", [])
                if backend["port"]["number"] not in [port["port"] for port in ports]:
                    faults.append(f"{name(one)}: no Service {backend['name']} with the port {backend['port']['number']}")
    return faults


def roles_run(objects):
    """Each role runs in a Deployment, none migrates, and each may stop in its own time."""
    faults, roles = [], set()
    for one in of_kind(objects, "Deployment"):
        for container in containers(one):
            roles |= set((variable(container, "BROKER_ROLES") or "").split(","))
            if variable(container, "BROKER_MIGRATE") != "false":
                faults.append(f"{name(one)}: BROKER_MIGRATE must be false: a probe could end a migration that takes long")
            stop = int(variable(container, "BROKER_SHUTDOWN_SECONDS") or 0)
            grace = template(one)["spec"]["terminationGracePeriodSeconds"]
            if not 0 < stop < grace:
                faults.append(f"{name(one)}: terminationGracePeriodSeconds is {grace}; it must be longer than "
                              f"BROKER_SHUTDOWN_SECONDS, which is {stop}")
            bound = [variable(container, each) for each in ("BROKER_BIND", "BROKER_WORKER_BIND", "BROKER_METRICS_BIND")]
            bound = sorted(int(each.rpartition(":")[2]) for each in bound if each)
            if bound != sorted(port["containerPort"] for port in container["ports"]):
                faults.append(f"{name(one)}: its ports are not the ones that it binds, {bound}")
    if not ROLES <= roles:
        faults.append(f"no Deployment has the role {', '.join(sorted(ROLES - roles))}")
    return faults


def pods_are_restricted(objects):
    """Each pod fulfils the strictest standard for pods, and has a read-only root and no token of Kubernetes."""
    faults = []
    for one in objects:
        if not template(one):
            continue
        spec = template(one)["spec"]
        security = spec.get("securityContext", {})
        if not security.get("runAsNonRoot") or security.get("runAsUser") != 10001 \
                or security.get("seccompProfile") != {"type": "RuntimeDefault"}:
            faults.append(f"{name(one)}: must run as the user 10001, not root, with seccompProfile RuntimeDefault")
        if spec.get("automountServiceAccountToken") is not False:
            faults.append(f"{name(one)}: automountServiceAccountToken must be false")
        for container in containers(one):
            if container.get("securityContext") != {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                    "capabilities": {"drop": ["ALL"]}}:
                faults.append(f"{name(one)}: must have a read-only root, no capabilities and no escalation")
            if not container.get("resources", {}).get("limits", {}).get("memory"):
                faults.append(f"{name(one)}: has no limit of memory")
    return faults


def names_fit(objects):
    """Each name fits in a label, which Kubernetes makes of many of them; and each object exists once."""
    faults = [f"{name(one)}: the name is longer than 63 characters" for one in objects if len(one["metadata"]["name"]) > 63]
    names = [name(one) for one in objects]
    return faults + [f"{one}: exists twice" for one in sorted(set(names)) if names.count(one) > 1]


def pod_checksums(objects):
    """The pods of each Deployment as text: what changes starts new pods."""
    return {name(one): str(template(one)) for one in of_kind(objects, "Deployment")}


def config_restarts(before, after):
    """A changed configuration (`after`) starts new pods of every Deployment."""
    old, new = pod_checksums(before), pod_checksums(after)
    return [f"{one}: a changed setting starts no new pods; it needs the checksum as an annotation"
            for one in old if old[one] == new.get(one)]
