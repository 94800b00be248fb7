"""Each policy of workloads.py broken: its name, a word that it must say, and how."""

from chart.doctored.helpers import Doctor, Object, spec, template


def scaler_of(name: str) -> Object:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {"kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": {"scaleTargetRef": target}}


SCALER = scaler_of("nobody")

BROKEN: list[tuple[str, str, Doctor]] = [
    (
        "workloads.own_pods",
        "selects",
        lambda r: spec(r, "Deployment", "redis")["selector"]["matchLabels"].pop("app.kubernetes.io/component"),
    ),
    ("workloads.own_pods", "nobody", lambda r: template(r, "redis")["metadata"].update(labels={})),
    (
        "workloads.budgets",
        "no workload",
        lambda r: spec(r, "PodDisruptionBudget", "core-web")["selector"]["matchLabels"].update(x="y"),
    ),
    ("workloads.budgets", "drained", lambda r: spec(r, "PodDisruptionBudget", "settlement").update(maxUnavailable=0)),
    (
        "workloads.budgets",
        "no PodDisruptionBudget",
        lambda r: r.objects.remove(r.one("PodDisruptionBudget", "core-worker")),
    ),
    ("workloads.replicas", "not there", lambda r: r.objects.append(SCALER)),
    ("workloads.replicas", "beside an autoscaler", lambda r: r.objects.append(scaler_of("core-web"))),
    ("workloads.replicas", "not set", lambda r: spec(r, "Deployment", "redis").pop("replicas")),
    ("workloads.services", "nobody", lambda r: spec(r, "Service", "core")["selector"].update(x="y")),
    (
        "workloads.services",
        "Pod/test-core",
        lambda r: spec(r, "Service", "core")["selector"].update({"app.kubernetes.io/component": "core-worker"}),
    ),
    ("workloads.services", "no port", lambda r: spec(r, "Service", "redis")["ports"][0].update(targetPort="redes")),
    (
        "workloads.old_revisions",
        "revisionHistoryLimit",
        lambda r: spec(r, "Deployment", "redis").pop("revisionHistoryLimit"),
    ),
]
