"""Each policy of objects.py broken: its name, a word that it must say, and how."""

from chart.doctored.helpers import Doctor

BROKEN: list[tuple[str, str, Doctor]] = [
    ("objects.unique_names", "2 times", lambda r: r.objects.append(r.one("Service", "core"))),
    (
        "objects.labels",
        "part-of",
        lambda r: r.one("ConfigMap", "core")["metadata"]["labels"].pop("app.kubernetes.io/part-of"),
    ),
    (
        "objects.hooks",
        "pre-install",
        lambda r: r.one("Job", "migrate-core")["metadata"].update(annotations={"helm.sh/hook": "pre-install"}),
    ),
    (
        "objects.hooks",
        "is a test hook",
        lambda r: r.one("Secret", "etebar-core")["metadata"]["annotations"].update({"helm.sh/hook": "test"}),
    ),
    ("objects.one_namespace", "another", lambda r: r.one("Service", "core")["metadata"].update(namespace="default")),
    (
        "objects.one_namespace",
        "no namespace",
        lambda r: r.objects.append({"kind": "ClusterRole", "metadata": {"name": "all"}}),
    ),
    ("objects.references", "ConfigMap core", lambda r: r.objects.remove(r.one("ConfigMap", "core"))),
    ("objects.references", "ServiceAccount redis", lambda r: r.objects.remove(r.one("ServiceAccount", "redis"))),
    ("objects.references", "Secret etebar-redis", lambda r: r.objects.remove(r.one("Secret", "etebar-redis"))),
    (
        "objects.keeps",
        "would stay",
        lambda r: r.one("ConfigMap", "core")["metadata"].update(annotations={"helm.sh/resource-policy": "keep"}),
    ),
    ("objects.keeps", "would be lost", lambda r: r.one("Secret", "etebar-core")["metadata"].pop("annotations")),
]
