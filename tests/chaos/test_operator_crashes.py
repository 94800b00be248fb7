"""kill -9 of the onboarding operator while it keeps many objects: on a real core and an emulated Kubernetes."""

import asyncio
import base64
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import kmock
import pytest
from emulated_kubernetes import MERCHANTS, SECRETS, TOP_UPS, Emulator, Kubernetes
from integration import internal_api
from integration.internal_api import InternalApi
from integration.platform import Platform
from integration.waiting import wait_until
from onboarding_helpers import NAMESPACE, body

from etebar_common.crash import CrashPoint

from .conftest import Report
from .experiment import Experiments
from .promise import Promise
from .recording import Recording

pytestmark = pytest.mark.kmock(cls=Emulator)

MARK = "crash points"
EXPECTED = {
    CrashPoint.OPERATOR_SECRET_WRITTEN: "the password is in the Secret, core has none; the next one sets the same",
    CrashPoint.OPERATOR_CORE_ANSWERED: "core has done it and no status says so; asked again, it does nothing twice",
}
OBJECTS, LIMIT, TOP_UP = 8, "250.00", "5.00"
ACCOUNT = "IRTEST0000000000001"


@dataclass
class Operator:
    """`python -m onboarding` on an emulated API server, as often as it is started."""

    kubernetes: Kubernetes
    core_url: str
    crash_file: Path
    log: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "ETEBAR_PROFILE": "test",
            "KUBECONFIG": str(self.kubernetes.kubeconfig),
            "CORE_URL": self.core_url,
            "OPERATOR_TOKEN": internal_api.TOKEN,
            "NAMESPACE": NAMESPACE,
            "LIVENESS_PORT": "0",
            "RESYNC_SECONDS": "1",
            "CRASH_POINT_FILE": str(self.crash_file),
        }
        with self.log.open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "onboarding"], env=environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    @contextmanager
    def ended_after(self) -> Iterator["Operator"]:
        try:
            yield self
        finally:
            for process in self.processes:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class Wishes:
    """Objects of one experiment: shops with an owner each, and one top-up."""

    kubernetes: Kubernetes
    names: list[str]
    top_up: str

    @classmethod
    def put(cls, kubernetes: Kubernetes) -> "Wishes":
        made = cls(
            kubernetes, [f"shop-{uuid.uuid4().hex[:8]}" for _ in range(OBJECTS)], f"top-up-{uuid.uuid4().hex[:8]}"
        )
        for name in made.names:
            spec = {"username": name, "bankAccount": ACCOUNT, "creditLimit": LIMIT}
            kubernetes.put(MERCHANTS, body(name=name, uid=uuid.uuid4().hex, **spec))
        kubernetes.put(TOP_UPS, body("PoolTopUp", name=made.top_up, amount=TOP_UP, reference=made.top_up))
        return made

    def are_ready(self) -> bool:
        found = [self.kubernetes.condition("Ready", MERCHANTS, name) for name in self.names]
        applied = self.kubernetes.condition("Ready", TOP_UPS, self.top_up)
        return set(found) == {("True", "Ready")} and applied == ("True", "Applied")

    def password_of(self, name: str) -> str:
        secret = self.kubernetes.shown(SECRETS, f"{name}-credentials")
        return base64.b64decode(secret["data"]["password"]).decode()


@pytest.fixture
def internal(platform: Platform) -> Iterator[InternalApi]:
    with internal_api.serving(platform.stack) as api:
        yield api


@pytest.fixture
def operator(internal: InternalApi, kmock: kmock.KubernetesEmulator, tmp_path: Path) -> Iterator[Operator]:
    kubernetes = Kubernetes(kmock, tmp_path)
    with Operator(kubernetes, internal.url, tmp_path / "crash", tmp_path / "operator.log").ended_after() as operator:
        yield operator


def funded(internal: InternalApi) -> float:
    return float(internal.http.get("/internal/v1/pool").json()["funded_amount"])


def killed_at(point: CrashPoint, operator: Operator, made: list[Wishes]) -> Callable[[Platform, Recording], float]:
    """Many objects at once, the operator dead in the middle of them, and another one that finishes."""

    def strike(_platform: Platform, _recording: Recording) -> float:
        operator.crash_file.write_text(point)
        made.append(Wishes.put(operator.kubernetes))
        first = operator.start()
        wait_until("the operator has killed itself", lambda: first.poll() is not None)
        assert first.returncode == -9, operator.log.read_text()
        since = time.monotonic()
        operator.start()
        wait_until("every object is as wished", made[0].are_ready)
        return since

    return strike


class TestAnOperatorKilled:
    @pytest.mark.parametrize("point", EXPECTED, ids=lambda point: point.value)
    async def test_makes_each_merchant_once_and_tops_up_once(
        self,
        point: CrashPoint,
        internal: InternalApi,
        operator: Operator,
        experiments: Experiments,
        report: Report,
    ) -> None:
        before, made = funded(internal), list[Wishes]()
        name = f"kill -9 of operator at `{point.value}`"
        strike = killed_at(point, operator, made)
        # the emulated API server answers in this test's loop
        report.add(MARK, await asyncio.to_thread(experiments.row, name, Promise(EXPECTED[point]), strike))
        assert funded(internal) - before == pytest.approx(float(TOP_UP))
        api = experiments.platform.api
        for each in made[0].names:
            me = api.must("GET", "/me", headers=api.sign_in(each, made[0].password_of(each)))
            assert (me["state"], me["credit_limit"], me["utilized_amount"]) == ("approved", LIMIT, "0.00")
