"""Merchants on kmock's API server and a core on a real socket: what objects show after each trouble."""

import asyncio
import base64

import kmock
import pytest
from emulated_kubernetes import MERCHANTS, SECRETS, Emulator, Kubernetes, change, operating, ready
from onboarding_helpers import NAMESPACE, Body, Core, body, drift, problem, settings, until
from prometheus_client import REGISTRY

from onboarding import metrics
from onboarding.handlers import PREFIX

pytestmark = pytest.mark.kmock(cls=Emulator)


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """The gauge is the process', and so of all tests."""
    metrics.OBJECTS.clear()


def version_of(data: Body) -> int:
    return int(base64.b64decode(data["version"]))


def ready_objects() -> float:
    labels = {"kind": "Merchant", "condition": "Ready", "status": "True"}
    return REGISTRY.get_sample_value("etebar_onboarding_objects", labels) or 0.0


class TestCreating:
    async def test_makes_a_merchant(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
        shown = kubernetes.shown()
        assert shown["status"]["merchantId"] == 7
        assert shown["metadata"]["finalizers"] == [f"{PREFIX}/finalizer"]
        assert all(name.startswith(PREFIX) for name in shown["metadata"]["annotations"])
        password = base64.b64decode(kubernetes.secret()["data"]["password"]).decode()
        assert core.wishes()[-1]["password"] == password

    async def test_tells_events(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            expected = {"Registered", "Approved", "Issued", "InSync", "Ready"}
            await until("they are told", lambda: kubernetes.told() >= expected)

    async def test_waits_for_the_bank_account(self, kubernetes: Kubernetes, core: Core) -> None:
        made = body()
        made["spec"] |= {"bankAccountSecretRef": {"name": "account"}}
        del made["spec"]["bankAccount"]
        kubernetes.put(MERCHANTS, made)
        async with operating(settings(core.url)):
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
        async with operating(settings(core.url)):
            await until("it is told", lambda: kubernetes.condition("Registered") == ("False", "UsernameTaken"))
            await ready(kubernetes)
        assert "UsernameTaken" in kubernetes.told()

    async def test_leaves_a_secret_of_somebody_else(self, kubernetes: Kubernetes, core: Core) -> None:
        theirs = {"metadata": {"name": "shop-credentials", "namespace": NAMESPACE}, "data": {"password": "eA=="}}
        kubernetes.put(SECRETS, theirs)
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            not_owned = ("False", "SecretNotOwned")
            await until("it is told", lambda: kubernetes.condition("CredentialsIssued") == not_owned)
        assert (core.wishes(), kubernetes.secret()["data"]) == ([], {"password": "eA=="})


class TestUpdating:
    async def test_brings_the_change_to_core(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url, resync_seconds=60.0)):
            await ready(kubernetes)
            await change(kubernetes, creditLimit="250.00")
            await until("the limit is shown", lambda: kubernetes.shown()["status"]["creditLimit"] == "250.00")
        assert (core.wishes()[-1]["generation"], core.wishes()[-1]["credit_limit"]) == (2, "250.00")
        assert kubernetes.shown()["status"]["observedGeneration"] == 2

    async def test_rotates_credentials(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url, resync_seconds=60.0)):
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
        async with operating(settings(core.url)):
            await ready(kubernetes)
            core.extra = {"credit_limit": "70.00", "drift": [drift("credit_limit")]}
            await until("it is shown", lambda: kubernetes.condition("Drifted") == ("True", "Differs"))
            assert kubernetes.condition("Ready") == ("False", "Differs")
            core.extra = {}
            await ready(kubernetes)

    async def test_issues_lost_credentials_anew(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
            kubernetes.remove(SECRETS, "shop-credentials")
            await until("it is there again", kubernetes.secret)

    async def test_writes_nothing_when_nothing_is_new(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
            await asyncio.sleep(0.3)
            asked, written = len(core.wishes()), kubernetes.writes()
            await until("there were rounds", lambda: len(core.wishes()) >= asked + 3)
            assert kubernetes.writes() == written


class TestASecretFromABackup:
    async def test_is_replaced_by_one_that_core_takes(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
            backup = kubernetes.secret()["data"]
            asked = {"metadata": {"annotations": {"etebar.dev/rotate-credentials": "now"}}}
            await kubernetes.patch(MERCHANTS, "shop", asked)
            await until("it is rotated", lambda: core.wishes()[-1]["credentials_version"] > version_of(backup))
            rotated = kubernetes.secret()["data"]
            await kubernetes.patch(SECRETS, "shop-credentials", {"data": backup})
            newest = {backup["password"], rotated["password"]}
            await until("there is a third one", lambda: kubernetes.secret()["data"]["password"] not in newest)
            third = version_of(kubernetes.secret()["data"])
            await until("core has it", lambda: core.wishes()[-1]["credentials_version"] == third)
        assert third > version_of(rotated)


class TestResuming:
    async def test_goes_on_where_another_process_ended(self, kubernetes: Kubernetes, core: Core) -> None:
        core.answers = [problem(503, "database_unavailable")] * 100
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url, resync_seconds=60.0)):
            await until("core is asked", core.wishes)
        first = core.wishes()[0]
        core.answers.clear()
        async with operating(settings(core.url, resync_seconds=60.0)):
            await ready(kubernetes)
        assert core.wishes()[-1] == first

    async def test_looks_at_what_it_knows_already(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url, resync_seconds=60.0)):
            await ready(kubernetes)
        core.extra = {"state": "suspended"}
        async with operating(settings(core.url, resync_seconds=60.0)):
            await until("it is looked at", lambda: kubernetes.condition("Ready") == ("False", "Suspended"))


class TestTrouble:
    @pytest.mark.parametrize("status", [500, 503])
    async def test_of_core_is_told_and_passes(self, kubernetes: Kubernetes, core: Core, status: int) -> None:
        core.answers = [problem(status, "any")] * 3
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "CoreUnavailable"))
            await ready(kubernetes)

    async def test_a_core_that_hangs_is_told_and_passes(self, kubernetes: Kubernetes, core: Core) -> None:
        core.slow_seconds = 5.0
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "CoreUnavailable"))
            core.slow_seconds = 0.0
            await ready(kubernetes)

    async def test_lost_answers_make_one_merchant(self, kubernetes: Kubernetes, core: Core) -> None:
        core.lost = 4
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
        assert len(core.merchants) == 1
        assert len({wish["password"] for wish in core.wishes()}) == 1

    async def test_a_version_that_was_overtaken_is_no_news(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
            core.answers = [problem(409, "version_stale")]
            await until("it was said", lambda: not core.answers)
            assert kubernetes.condition("Ready") == ("True", "Ready")

    async def test_one_that_stays_overtaken_is_told(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
            core.answers = [problem(409, "version_stale")] * 1000
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "VersionStale"))

    async def test_a_conflict_of_the_api_server_is_tried_again(self, kubernetes: Kubernetes, core: Core) -> None:
        for code in (409, 500):
            kubernetes.server["post /api/v1/namespaces/shops/secrets"][:1] << kmock.KubernetesError(status=code)
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
        assert kubernetes.secret()

    async def test_a_wrong_token_is_told_as_such(self, kubernetes: Kubernetes, core: Core) -> None:
        core.answers = [problem(401, "operator_token_wrong")] * 3
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await until("it is told", lambda: kubernetes.condition("Ready") == ("False", "TokenRefused"))
            await ready(kubernetes)


class TestDeleting:
    @pytest.mark.parametrize("policy", ["Retain", "Close"])
    async def test_lets_go_when_core_has_done_its_part(self, kubernetes: Kubernetes, core: Core, policy: str) -> None:
        kubernetes.put(MERCHANTS, body(deletionPolicy=policy))
        async with operating(settings(core.url)):
            await ready(kubernetes)
            assert ready_objects() == 1
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is gone", lambda: not kubernetes.shown())
            await until("it counts no more", lambda: ready_objects() == 0)
        assert core.wishes()[-1]["deletion"] == policy.lower()

    async def test_waits_for_the_books(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body(deletionPolicy="Close"))
        async with operating(settings(core.url)):
            await ready(kubernetes)
            waits = ["30.00 of credit is used and not repaid"]
            core.extra = {"released": False, "state": "suspended", "waits_for": waits}
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is told", lambda: "WaitsForRepayment" in kubernetes.told())
            assert kubernetes.shown()["status"]["state"] == "suspended"
            core.extra = {}
            await until("it is gone", lambda: not kubernetes.shown())

    async def test_tells_another_reason_to_wait_and_the_end(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body(deletionPolicy="Close"))
        async with operating(settings(core.url)):
            await ready(kubernetes)
            core.extra = {"released": False, "state": "suspended", "pending_amount": "30.00", "waits_for": ["pending"]}
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is told", lambda: "WaitsForPending" in kubernetes.told())
            core.extra |= {"pending_amount": "0.00", "waits_for": ["used"]}
            await until("the other is told", lambda: "WaitsForRepayment" in kubernetes.told())
            core.extra = {}
            await until("it is gone", lambda: not kubernetes.shown())
            await until("the end is told", lambda: "Closed" in kubernetes.told())

    async def test_is_over_when_the_policy_becomes_retain(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body(deletionPolicy="Close"))
        async with operating(settings(core.url)):
            await ready(kubernetes)
            core.extra = {"released": False, "state": "suspended", "waits_for": ["used"]}
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it waits", lambda: "WaitsForRepayment" in kubernetes.told())
            await change(kubernetes, deletionPolicy="Retain")
            await until("core is told", lambda: core.wishes()[-1]["deletion"] == "retain")
            core.extra = {"state": "suspended"}
            await until("it is gone", lambda: not kubernetes.shown())
        assert core.wishes()[-1]["generation"] == 2

    async def test_waits_for_core(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.put(MERCHANTS, body())
        async with operating(settings(core.url)):
            await ready(kubernetes)
            core.answers = [problem(500, "any")] * 3
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is gone", lambda: not kubernetes.shown())
        assert not core.answers
