"""What holds for objects of any kind: names, labels, hooks, references."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chart.rendered import RELEASE, Rendered, texts

LABELS = {
    "app.kubernetes.io/name": "etebar",
    "app.kubernetes.io/instance": RELEASE,
    "app.kubernetes.io/part-of": "etebar",
}


def unique_names(rendered: Rendered) -> Iterator[str]:
    """No two objects of a kind in a namespace have one name."""
    counted = Counter((_name(one), one["metadata"].get("namespace", RELEASE)) for one in rendered.objects)
    yield from (f"{name}: is there {number} times" for (name, _), number in counted.items() if number > 1)


def labels(rendered: Rendered) -> Iterator[str]:
    """All of ours can be found by label, and carry what values add; strangers of the tests are not ours."""
    wanted = LABELS | rendered.values["commonLabels"]
    extra = rendered.values["extraObjects"]
    for one in rendered.objects[: len(rendered.objects)]:
        found = one["metadata"].get("labels") or {}
        if found.get("app.kubernetes.io/name") == "stranger" or (extra and not found):
            continue
        yield from (
            f"{_name(one)}: label {key} is not {value}" for key, value in wanted.items() if found.get(key) != value
        )


def hooks(rendered: Rendered) -> Iterator[str]:
    """Only tests are hooks, and Secrets, so that no later revision changes them: else GitOps needs no order."""
    for one in rendered.objects:
        allowed = {"Pod": "test", "Secret": "pre-install,pre-upgrade"}.get(one["kind"])
        hook = (one["metadata"].get("annotations") or {}).get("helm.sh/hook")
        if hook and hook != allowed:
            yield f"{_name(one)}: is a {hook} hook"


def one_namespace(rendered: Rendered) -> Iterator[str]:
    """Nothing of ours is put into another namespace or belongs to none, but what the operator keeps objects with."""
    for one in rendered.objects:
        if (one["metadata"].get("labels") or {}).get("app.kubernetes.io/component") in {"operator", "crds"}:
            continue
        if one["metadata"].get("namespace", RELEASE) != RELEASE:
            yield f"{_name(one)}: is in another namespace"
        if one["kind"].startswith("Cluster") or one["kind"] in {"Namespace", "CustomResourceDefinition"}:
            yield f"{_name(one)}: belongs to no namespace"


def references(rendered: Rendered) -> Iterator[str]:
    """Every ConfigMap, Secret and ServiceAccount that a pod names is rendered, or named in values by the user."""
    there = {(one["kind"], one["metadata"]["name"]) for one in rendered.objects}
    named = set(texts(rendered.values))
    for pod in rendered.pods:
        for kind, name in _referred(pod.spec, pod.containers):
            if (kind, name) not in there and not (kind == "Secret" and name in named):
                yield f"{pod.name}: {kind} {name} is not there"


def keeps(rendered: Rendered) -> Iterator[str]:
    """Secrets and definitions of ours outlive `helm uninstall`, as the README says, and no other object does."""
    kept = {_name(one) for one in rendered.objects if _policy(one) == "keep"}
    secrets = {_name(one) for one in rendered.of_kind("Secret", "CustomResourceDefinition")}
    yield from (f"{name}: would stay after helm uninstall" for name in sorted(kept - secrets))
    yield from (f"{name}: would be lost with helm uninstall" for name in sorted(secrets - kept))


def _policy(one: Mapping[str, Any]) -> str | None:
    return (one["metadata"].get("annotations") or {}).get("helm.sh/resource-policy")


def _referred(spec: Mapping[str, Any], containers: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    yield "ServiceAccount", spec["serviceAccountName"]
    for container in containers:
        for source in container.get("envFrom") or []:
            yield from (_kind(word, one["name"]) for word, one in source.items() if word.endswith("Ref"))
    for volume in spec.get("volumes") or []:
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        for source in volume.get("projected", {}).get("sources", []):
            yield from (_kind(word, one["name"]) for word, one in source.items() if word in {"secret", "configMap"})


def _kind(word: str, name: str) -> tuple[str, str]:
    return "Secret" if word.startswith("secret") else "ConfigMap", name


def _name(rendered: Mapping[str, Any]) -> str:
    return f"{rendered['kind']}/{rendered['metadata']['name']}"


POLICIES = (unique_names, labels, hooks, one_namespace, references, keeps)
