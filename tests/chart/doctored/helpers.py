"""Parts of a rendered chart, to be changed."""

from collections.abc import Callable
from typing import Any

from chart.rendered import Rendered

Doctor = Callable[[Rendered], Any]
Object = dict[str, Any]


def template(rendered: Rendered, name: str = "core-web") -> Object:
    """The pod's template of a Deployment, to be changed."""
    found: Object = rendered.one("Deployment", name)["spec"]["template"]
    return found


def pod(rendered: Rendered, name: str = "core-web") -> Object:
    found: Object = template(rendered, name)["spec"]
    return found


def container(rendered: Rendered, name: str = "core-web") -> Object:
    found: Object = pod(rendered, name)["containers"][0]
    return found


def job_pod(rendered: Rendered) -> Object:
    found: Object = rendered.one("Job", "migrate-core")["spec"]["template"]["spec"]
    return found


def spec(rendered: Rendered, kind: str, name: str) -> Object:
    found: Object = rendered.one(kind, name)["spec"]
    return found


def copy_under(rendered: Rendered, kind: str, name: str, new: str) -> Object:
    """The same object once more, under another name."""
    one = rendered.one(kind, name)
    made = {**one, "metadata": {**one["metadata"], "name": new}}
    rendered.objects.append(made)
    return made


def open_to(rendered: Rendered, policy: str, peers: list[Object], port: int | None = None) -> None:
    """One more rule of a policy that lets somebody in."""
    ports: Object = {"ports": [{"protocol": "TCP", "port": port}]} if port else {}
    spec(rendered, "NetworkPolicy", policy).setdefault("ingress", []).append({"from": peers, **ports})


def mount(rendered: Rendered, name: str, source: Object, container_index: int = 0) -> None:
    """One more volume in one container of a Deployment."""
    pod(rendered, name)["volumes"].append({"name": "smuggled", **source})
    own = pod(rendered, name)["containers"][container_index]
    own["volumeMounts"].append({"name": "smuggled", "mountPath": "/smuggled", "readOnly": True})


def secret(name: str, key: str = "password") -> Object:
    return {"projected": {"defaultMode": 0o440, "sources": [{"secret": {"name": name, "items": [{"key": key}]}}]}}
