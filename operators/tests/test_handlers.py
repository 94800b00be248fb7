"""The operator as it runs, on kmock's API server and a core on a real socket: what objects show after each trouble."""

import asyncio
import base64
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
from onboarding_helpers import NAMESPACE, Body, Core, body, drift, problem, settings, until

from onboarding import core_client, handlers, operator
from onboarding.handlers import PREFIX
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


pytestmark = pytest.mark.kmock(cls=Emulator)


class Kubernetes:
    """The emulated API server, with what it needs to be one for kopf, and for us to look at."""

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
        return f"{self.url}/apis/{resource.group}/{resource.version}/namespaces/{NAMESPACE}/{resource.plural}/{name}"


def impatient() -> kopf.OperatorSettings:
    """The operator's own, without the waits that are for a real API server."""
    made = kopf_settings()
    made.persistence.consistency_timeout = 0.0
    made.queueing.idle_timeout = made.queueing.exit_timeout = 0.1
    return made


@pytest.fixture
async def kubernetes(kmock: kmock.KubernetesEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubernetes:
    found = Kubernetes(kmock, tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig))
    monkeypatch.setattr(handlers, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(handlers, "LONGEST_RETRY_SECONDS", 0.2)
    monkeypatch.setattr(core_client, "AWAY_SECONDS", 0.1)
    # the emulator gives no versions, for which kopf would wait
    monkeypatch.setattr(operator, "kopf_settings", impatient)
    return found


@asynccontextmanager
async def operating(core: Core, **given: Any) -> AsyncIterator[None]:
    """The operator runs until the block ends; in a loop of its own, for kopf waits for all that is left in its loop."""
    stop = threading.Event()

    async def run() -> None:
        serving = asyncio.create_task(operator.serve(settings(core.url, **given)))
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


class TestCreating:
    async def test_makes_a_merchant(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
        shown = kubernetes.shown()
        assert shown["status"]["merchantId"] == 7
        assert shown["metadata"]["finalizers"] == [f"{PREFIX}/finalizer"]
        assert all(name.startswith(PREFIX) for name in shown["metadata"]["annotations"])
        password = base64.b64decode(kubernetes.secret()["data"]["password"]).decode()
        assert core.wishes()[-1]["password"] == password

    async def test_tells_events(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            expected = {"Registered", "Approved", "Issued", "InSync", "Ready"}
            await until("they are told", lambda: kubernetes.told() >= expected)

    async def test_waits_for_the_bank_account(self, kubernetes: Kubernetes, core: Core) -> None:
        made = body()
        made["spec"] |= {"bankAccountSecretRef": {"name": "account"}}
        del made["spec"]["bankAccount"]
        kubernetes.put(MERCHANTS, made)
        async with operating(core):
            missing = ("False", "BankAccountMissing")
            await until("it is missed", lambda: kubernetes.condition("Registered") == missing)
            assert core.wishes() == []
            secret = {"metadata": {"name": "account", "namespace": NAMESPACE}, "data": {"account": "SVJURVNUMg=="}}
            kubernetes.put(SECRETS, secret)
            await ready(kubernetes)
        assert core.wishes()[-1]["bank_account"] == "IRTEST2"

    async def test_is_refused_a_username_that_is_taken(self, kubernetes: Kubernetes, core: Core) -> None:
        core.answers = [problem(409, "username_taken")] * 2
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await until("it is told", lambda: kubernetes.condition("Registered") == ("False", "UsernameTaken"))
            await ready(kubernetes)
        assert "UsernameTaken" in kubernetes.told()

    async def test_leaves_a_secret_of_somebody_else(self, kubernetes: Kubernetes, core: Core) -> None:
        theirs = {"metadata": {"name": "shop-credentials", "namespace": NAMESPACE}, "data": {"password": "eA=="}}
        kubernetes.put(SECRETS, theirs)
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            not_owned = ("False", "SecretNotOwned")
            await until("it is told", lambda: kubernetes.condition("CredentialsIssued") == not_owned)
        assert (core.wishes(), kubernetes.secret()["data"]) == ([], {"password": "eA=="})


class TestUpdating:
    async def test_brings_the_change_to_core(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core, resync_seconds=60.0):
            await ready(kubernetes)
            await change(kubernetes, creditLimit="250.00")
            await until("the limit is shown", lambda: kubernetes.shown()["status"]["creditLimit"] == "250.00")
        assert (core.wishes()[-1]["generation"], core.wishes()[-1]["credit_limit"]) == (2, "250.00")
        assert kubernetes.shown()["status"]["observedGeneration"] == 2

    async def test_rotates_credentials(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core, resync_seconds=60.0):
            await ready(kubernetes)
            old = kubernetes.secret()["data"]["password"]
            asked = {"metadata": {"annotations": {"etebar.dev/rotate-credentials": "now"}}}
            await kubernetes.patch(MERCHANTS, "shop", asked)
            await until("it is another", lambda: kubernetes.secret()["data"]["password"] != old)
            new = base64.b64decode(kubernetes.secret()["data"]["password"]).decode()
            await until("core is told", lambda: core.wishes()[-1]["password"] == new)


class TestTheTimer:
    async def test_shows_what_changed_in_core(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
            core.extra = {"credit_limit": "70.00", "drift": [drift("credit_limit")]}
            await until("it is shown", lambda: kubernetes.condition("Drifted") == ("True", "Differs"))
            assert kubernetes.condition("Ready") == ("False", "Differs")
            core.extra = {}
            await ready(kubernetes)

    async def test_issues_lost_credentials_anew(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
            kubernetes.remove(SECRETS, "shop-credentials")
            await until("it is there again", kubernetes.secret)

    async def test_writes_nothing_when_nothing_is_new(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
            await asyncio.sleep(0.3)
            asked, written = len(core.wishes()), kubernetes.writes()
            await until("there were rounds", lambda: len(core.wishes()) >= asked + 3)
            assert kubernetes.writes() == written


class TestResuming:
    async def test_goes_on_where_another_process_ended(self, kubernetes: Kubernetes, core: Core) -> None:
        core.answers = [problem(503, "database_unavailable")] * 100
        kubernetes.put(MERCHANTS, body())
        async with operating(core, resync_seconds=60.0):
            await until("core is asked", core.wishes)
        first = core.wishes()[0]
        core.answers.clear()
        async with operating(core, resync_seconds=60.0):
            await ready(kubernetes)
        assert core.wishes()[-1] == first

    async def test_looks_at_what_it_knows_already(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core, resync_seconds=60.0):
            await ready(kubernetes)
        core.extra = {"state": "suspended"}
        async with operating(core, resync_seconds=60.0):
            await until("it is looked at", lambda: kubernetes.condition("Ready") == ("False", "Suspended"))


class TestTrouble:
    @pytest.mark.parametrize("status", [500, 503])
    async def test_of_core_is_told_and_passes(self, kubernetes: Kubernetes, core: Core, status: int) -> None:
        core.answers = [problem(status, "any")] * 3
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "CoreUnavailable"))
            await ready(kubernetes)

    async def test_a_core_that_hangs_is_told_and_passes(self, kubernetes: Kubernetes, core: Core) -> None:
        core.slow_seconds = 5.0
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "CoreUnavailable"))
            core.slow_seconds = 0.0
            await ready(kubernetes)

    async def test_lost_answers_make_one_merchant(self, kubernetes: Kubernetes, core: Core) -> None:
        core.lost = 4
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
        assert len(core.merchants) == 1
        assert len({wish["password"] for wish in core.wishes()}) == 1

    async def test_a_version_that_was_overtaken_is_no_news(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
            core.answers = [problem(409, "version_stale")]
            await until("it was said", lambda: not core.answers)
            assert kubernetes.condition("Ready") == ("True", "Ready")

    async def test_one_that_stays_overtaken_is_told(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
            core.answers = [problem(409, "version_stale")] * 1000
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "VersionStale"))

    async def test_a_conflict_of_the_api_server_is_tried_again(self, kubernetes: Kubernetes, core: Core) -> None:
        for code in (409, 500):
            kubernetes.server["post /api/v1/namespaces/shops/secrets"][:1] << kmock.KubernetesError(status=code)
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
        assert kubernetes.secret()

    async def test_a_wrong_token_is_told_as_such(self, kubernetes: Kubernetes, core: Core) -> None:
        core.answers = [problem(401, "operator_token_wrong")] * 3
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "TokenRefused"))
            await ready(kubernetes)


class TestDeleting:
    @pytest.mark.parametrize("policy", ["Retain", "Close"])
    async def test_lets_go_when_core_has_done_its_part(self, kubernetes: Kubernetes, core: Core, policy: str) -> None:
        kubernetes.put(MERCHANTS, body(deletionPolicy=policy))
        async with operating(core):
            await ready(kubernetes)
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is gone", lambda: not kubernetes.shown())
        assert core.wishes()[-1]["deletion"] == policy.lower()

    async def test_waits_for_the_books(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body(deletionPolicy="Close"))
        async with operating(core):
            await ready(kubernetes)
            waits = ["30.00 of credit is used and not repaid"]
            core.extra = {"released": False, "state": "suspended", "waits_for": waits}
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is told", lambda: "WaitsForBooks" in kubernetes.told())
            assert kubernetes.shown()["status"]["state"] == "suspended"
            core.extra = {}
            await until("it is gone", lambda: not kubernetes.shown())

    async def test_waits_for_core(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(core):
            await ready(kubernetes)
            core.answers = [problem(500, "any")] * 3
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is gone", lambda: not kubernetes.shown())
        assert not core.answers


class TestATopUp:
    TOP_UP = body("PoolTopUp", name="opening", amount="5.00", reference="r-1")

    async def test_is_applied_once_through_lost_answers_and_restarts(self, kubernetes: Kubernetes, core: Core) -> None:
        core.lost = 3
        kubernetes.put(TOP_UPS, self.TOP_UP)
        applied = ("True", "Applied")
        for _ in range(2):
            async with operating(core):
                await until("it is applied", lambda: kubernetes.condition("Ready", TOP_UPS, "opening") == applied)
        assert len(core.moved) == 1
        # nobody waits for the operator to delete one
        assert "finalizers" not in kubernetes.shown(TOP_UPS, "opening")["metadata"]

    async def test_of_another_amount_is_a_conflict(self, kubernetes: Kubernetes, core: Core) -> None:
        core.top_ups["/internal/v1/pool-top-ups/shops/r-1"] = "4.00"
        kubernetes.put(TOP_UPS, self.TOP_UP)
        async with operating(core):
            conflict = ("True", "Conflict")
            await until("it is told", lambda: kubernetes.condition("Conflict", TOP_UPS, "opening") == conflict)
        assert core.moved == []


class TestTheCreditPool:
    async def test_is_made_and_kept(self, kubernetes: Kubernetes, core: Core) -> None:
        async with operating(core, low_water_mark="60.00"):
            await until("it is low", lambda: kubernetes.condition("LowWater", POOLS, "pool") == ("True", "LowWater"))
            assert kubernetes.shown(POOLS, "pool")["status"]["available"] == "50.00"
            kubernetes.remove(POOLS, "pool")
            await until("it is there again", lambda: kubernetes.shown(POOLS, "pool"))

    async def test_follows_the_operators_mark(self, kubernetes: Kubernetes, core: Core) -> None:
        for mark in ("60.00", "10.00"):
            async with operating(core, low_water_mark=mark):
                spec = {"lowWaterMark": mark}
                await until("it has it", lambda spec=spec: kubernetes.shown(POOLS, "pool").get("spec") == spec)


async def test_without_its_definitions_it_does_not_start(
    kubernetes: Kubernetes, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator, "KINDS_PAUSE_SECONDS", 0.01)
    for resource in (MERCHANTS, TOP_UPS, POOLS):
        del kubernetes.server.resources[resource]
    with pytest.raises(operator.KindsMissing, match=r"does not know etebar\.dev/v1alpha1; install the chart"):
        await operator.serve(settings(core.url))


def test_waits_grow_up_to_a_quarter_of_a_minute() -> None:
    assert [handlers.retry_seconds(retry) for retry in (0, 1, 2, 3, 99)] == [2.0, 4.0, 8.0, 15.0, 15.0]
