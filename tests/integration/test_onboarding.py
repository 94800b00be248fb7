"""The operator and core's internal API, both real; Kubernetes alone is emulated. On a cluster: tests/e2e."""

import base64
import uuid
from collections.abc import Iterator
from pathlib import Path

import kmock
import pytest
from emulated_kubernetes import (
    MERCHANTS,
    SECRETS,
    TOP_UPS,
    Emulator,
    Kubernetes,
    change,
    found_by_the_operator,
    operating,
    ready,
)
from onboarding_helpers import body, settings, until
from pydantic import SecretStr

from onboarding.environment import OperatorEnvironment

from . import internal_api
from .internal_api import InternalApi
from .platform import Platform

pytestmark = pytest.mark.kmock(cls=Emulator)


@pytest.fixture(scope="module")
def internal(session_platform: Platform) -> Iterator[InternalApi]:
    session_platform.revive()
    with internal_api.serving(session_platform.stack) as api:
        yield api


@pytest.fixture
async def kubernetes(kmock: kmock.KubernetesEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubernetes:
    return found_by_the_operator(kmock, tmp_path, monkeypatch)


def operator_of(internal: InternalApi) -> OperatorEnvironment:
    return settings(internal.url, operator_token=SecretStr(internal_api.TOKEN), core_timeout_seconds=10.0)


def password_of(kubernetes: Kubernetes) -> str:
    return base64.b64decode(kubernetes.secret()["data"]["password"]).decode()


class TestAnObject:
    async def test_becomes_a_merchant_that_withdraws_and_is_let_go(
        self, platform: Platform, internal: InternalApi, kubernetes: Kubernetes
    ) -> None:
        username = f"shop-{uuid.uuid4().hex[:8]}"
        uid = uuid.uuid4().hex
        account = "IRTEST0000000000001"
        kubernetes.put(MERCHANTS, body(uid=uid, username=username, bankAccount=account, deletionPolicy="Close"))
        async with operating(operator_of(internal)):
            await ready(kubernetes)
            token = platform.api.sign_in(username, password_of(kubernetes))
            headers = {**token, "Idempotency-Key": uuid.uuid4().hex}
            withdrawn = platform.api.send("POST", "/withdrawals", {"amount": "30.00"}, headers)
            assert withdrawn.status_code == 201
            await until("it is shown", lambda: kubernetes.shown()["status"]["utilized"] == "30.00")

            await change(kubernetes, creditLimit="250.00")
            await until("the limit is shown", lambda: kubernetes.shown()["status"]["available"] == "220.00")
            assert platform.api.must("GET", "/me", headers=token)["credit_limit"] == "250.00"

            number = kubernetes.shown()["status"]["merchantId"]
            limit = {"merchant_id": number, "credit_limit": "70.00"}
            platform.api.must("POST", "/admin/credit-limit", limit, platform.api.admin)
            await until("drift is told", lambda: "Corrected" in kubernetes.told())
            assert platform.api.must("GET", "/me", headers=token)["credit_limit"] == "250.00"

            # the API server counts a deletion as a change
            await kubernetes.patch(MERCHANTS, "shop", {"metadata": {"generation": 3}})
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is told why it waits", lambda: "WaitsForRepayment" in kubernetes.told())
            # the status is written after the event
            await until("it is shown", lambda: kubernetes.shown()["status"]["state"] == "suspended")

    async def test_of_another_name_does_not_get_a_merchant_that_was_retained(
        self, platform: Platform, internal: InternalApi, kubernetes: Kubernetes
    ) -> None:
        username = f"shop-{uuid.uuid4().hex[:8]}"
        first = body(uid=uuid.uuid4().hex, username=username, bankAccount="IRTEST0000000000001")
        kubernetes.put(MERCHANTS, first)
        async with operating(operator_of(internal)):
            await ready(kubernetes)
            number = kubernetes.shown()["status"]["merchantId"]
            await kubernetes.delete(MERCHANTS, "shop")
            await until("it is gone", lambda: not kubernetes.shown())
        kubernetes.remove(SECRETS, "shop-credentials")
        again = body(name="again", uid=uuid.uuid4().hex, username=username, bankAccount="IRTEST0000000000001")
        kubernetes.put(MERCHANTS, again)
        async with operating(operator_of(internal)):
            taken = ("False", "UsernameTaken")
            await until("another name is refused", lambda: kubernetes.condition("Ready", name="again") == taken)
        assert number > 0


class TestATopUp:
    async def test_moves_the_pool_once(self, internal: InternalApi, kubernetes: Kubernetes) -> None:
        before = internal.http.get("/internal/v1/pool").json()["funded_amount"]
        top_up = body("PoolTopUp", name="opening", amount="5.00", reference=uuid.uuid4().hex)
        applied = ("True", "Applied")
        kubernetes.put(TOP_UPS, top_up)
        for _ in range(3):
            async with operating(operator_of(internal)):
                await until("it is applied", lambda: kubernetes.condition("Ready", TOP_UPS, "opening") == applied)
        after = internal.http.get("/internal/v1/pool").json()["funded_amount"]
        assert float(after) - float(before) == pytest.approx(5.0)
