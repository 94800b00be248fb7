"""kmock's API server, with what it needs to be one for kopf and to be looked at; and the operator on it."""

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import kmock
import kopf
import pytest
from onboarding_helpers import NAMESPACE, Body, until

from onboarding import handlers, operator
from onboarding.environment import OperatorEnvironment
from onboarding.operator import kopf_settings

MERCHANTS = kmock.resource("etebar.dev", "v1alpha1", "merchants")
TOP_UPS = kmock.resource("etebar.dev", "v1alpha1", "pooltopups")
POOLS = kmock.resource("etebar.dev", "v1alpha1", "creditpools")
SECRETS = kmock.resource("", "v1", "secrets")
EVENTS = kmock.resource("", "v1", "events")
KINDS = {
    MERCHANTS: "Merchant",
    TOP_UPS: "PoolTopUp",
    POOLS: "CreditPool",
    SECRETS: "Secret",
    EVENTS: "Event",
    # kopf waits until it knows of them
    kmock.resource("", "v1", "namespaces"): "Namespace",
    kmock.resource("apiextensions.k8s.io", "v1", "customresourcedefinitions"): "CustomResourceDefinition",
}


class Emulator(kmock.KubernetesEmulator):
    """Gives what is made what the API server gives it."""

    async def _handle(self, request: Any) -> Any:
        if request.action is kmock.action.CREATE:
            metadata = request.data["metadata"]
            given = {"uid": uuid.uuid4().hex, "generation": 1, "resourceVersion": "1"}
            request.data["metadata"] = {"name": metadata.get("generateName", "") + given["uid"], **given, **metadata}
        return await super()._handle(request)


class Kubernetes:
    """The server and what is in it."""

    def __init__(self, server: kmock.KubernetesEmulator, directory: Path) -> None:
        self.server, self.url = server, str(server.url).rstrip("/")
        for resource, kind in KINDS.items():
            server.resources[resource] = {
                "kind": kind,
                "singular": kind.lower(),
                "namespaced": True,
                "verbs": ["get", "list", "watch", "patch", "create", "update"],
                "subresources": ["status"],
            }
        self.kubeconfig = directory / "kubeconfig"
        self.kubeconfig.write_text(json.dumps(self._config()))

    def _config(self) -> Body:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": "t"}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": NAMESPACE}}],
        }

    def put(self, resource: kmock.resource, made: Body) -> None:
        self.server.objects[resource, NAMESPACE, made["metadata"]["name"]] = made

    def shown(self, resource: kmock.resource = MERCHANTS, name: str = "shop") -> Body:
        """The object as it is; empty when it is gone."""
        key = (resource, NAMESPACE, name)
        if key not in self.server.objects or self.server.objects[key].deleted:
            return {}
        return dict(self.server.objects[key].raw)

    def condition(self, kind: str, resource: kmock.resource = MERCHANTS, name: str = "shop") -> tuple[str, str] | None:
        for each in self.shown(resource, name).get("status", {}).get("conditions", []):
            if each["type"] == kind:
                return each["status"], each["reason"]
        return None

    def secret(self) -> Body:
        return self.shown(SECRETS, "shop-credentials")

    def told(self) -> set[str]:
        """The reasons of all events."""
        return {event.raw["reason"] for (resource, _, _), event in self.server.objects.items() if resource == EVENTS}

    def writes(self) -> int:
        """How often something of a merchant was written."""
        return len(self.server[kmock.action.UPDATE][MERCHANTS])

    def remove(self, resource: kmock.resource, name: str) -> None:
        """It is gone, as by `kubectl delete` of what nobody holds."""
        self.server.objects[resource, NAMESPACE, name].delete()

    async def patch(self, resource: kmock.resource, name: str, change: Body) -> None:
        async with aiohttp.ClientSession() as session, session.patch(self._url_of(resource, name), json=change) as done:
            done.raise_for_status()

    async def delete(self, resource: kmock.resource, name: str) -> None:
        async with aiohttp.ClientSession() as session, session.delete(self._url_of(resource, name)) as done:
            done.raise_for_status()

    def _url_of(self, resource: kmock.resource, name: str) -> str:
        group = f"apis/{resource.group}" if resource.group else "api"
        return f"{self.url}/{group}/{resource.version}/namespaces/{NAMESPACE}/{resource.plural}/{name}"


def impatient() -> kopf.OperatorSettings:
    """The operator's own, without the waits that are for a real API server."""
    made = kopf_settings()
    made.persistence.consistency_timeout = 0.0
    made.queueing.idle_timeout = made.queueing.exit_timeout = 0.1
    return made


def found_by_the_operator(
    server: kmock.KubernetesEmulator, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Kubernetes:
    """An API server that an operator of this process will use, which waits for nothing that an emulator does not do."""
    kubernetes = Kubernetes(server, directory)
    monkeypatch.setenv("KUBECONFIG", str(kubernetes.kubeconfig))
    monkeypatch.setattr(handlers, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(handlers, "LONGEST_RETRY_SECONDS", 0.2)
    # the emulator gives no versions, for which kopf would wait
    monkeypatch.setattr(operator, "kopf_settings", impatient)
    return kubernetes


@asynccontextmanager
async def operating(settings: OperatorEnvironment) -> AsyncIterator[None]:
    """The operator runs until the block ends; in a loop of its own, for kopf waits for all that is left in its loop."""
    stop = threading.Event()

    async def run() -> None:
        serving = asyncio.create_task(operator.serve(settings))
        stopped = asyncio.create_task(asyncio.to_thread(stop.wait))
        await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving

    running = asyncio.get_running_loop().run_in_executor(None, asyncio.run, run())
    try:
        yield
    finally:
        stop.set()
        await running


async def ready(kubernetes: Kubernetes) -> None:
    await until("the merchant is ready", lambda: kubernetes.condition("Ready") == ("True", "Ready"))


async def change(kubernetes: Kubernetes, **spec: Any) -> None:
    """What `kubectl apply` does: another spec, the next generation."""
    shown = kubernetes.shown()
    generation = shown["metadata"]["generation"] + 1
    changed = {"metadata": {"generation": generation}, "spec": spec}
    await kubernetes.patch(MERCHANTS, "shop", changed)
