"""kill -9 of who delivers webhooks: each transition is told at least once, with one id."""

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from integration import books
from integration.api import ASYNC, Merchant
from integration.platform import Platform
from integration.waiting import wait_until

from etebar_common.crash import CrashPoint
from payments.tests.receivers import Receiver, receiving

from .conftest import Report
from .experiment import Experiments
from .promise import Promise
from .recording import Recording

MARK = "crash points"
SERVICE = "webhooks"
WITHDRAWALS = 10
EXPECTED = {
    CrashPoint.WEBHOOK_CLAIMED: "nothing was sent; what was claimed is sent when its lease is over",
    CrashPoint.WEBHOOK_SENT: "it was sent; it is sent again when its lease is over, with the same id",
}


@pytest.fixture
def receiver(platform: Platform) -> Iterator[Receiver]:
    """One that takes everything, while webhooks are delivered."""
    crash_file = platform.stack.state.path / f"crash-{SERVICE}"
    platform.stack.start(SERVICE, env={"CRASH_POINT_FILE": str(crash_file)})
    with receiving() as receiver:
        yield receiver
    platform.stack.stop(SERVICE)


def killed_at(point: CrashPoint, merchant: Merchant, made: list[str]) -> Callable[[Platform, Recording], float]:
    """Withdrawals of the merchant's, the deliverer dead among their events, and another one."""

    def strike(platform: Platform, _recording: Recording) -> float:
        platform.arm(SERVICE, point)
        for number in range(WITHDRAWALS):
            answer = merchant.withdraw("1.00", **(ASYNC if number % 2 else {}))
            assert answer.status_code in {201, 202}
            made.append(answer.json()["id"])
        wait_until("the deliverer has killed itself", lambda: platform.has_crashed(SERVICE))
        since = time.monotonic()
        platform.stack.restart(SERVICE)
        return since

    return strike


class TestADelivererKilled:
    @pytest.mark.parametrize("point", EXPECTED, ids=lambda point: point.value)
    def test_tells_each_transition(
        self, point: CrashPoint, receiver: Receiver, experiments: Experiments, report: Report
    ) -> None:
        platform, made = experiments.platform, list[str]()
        merchant = platform.api.merchant()
        answer = platform.api.send("POST", "/webhooks", {"url": receiver.url}, merchant.token)
        assert answer.status_code == 201, answer.text
        strike = killed_at(point, merchant, made)
        name = f"kill -9 of {SERVICE} at `{point.value}`"
        report.add(MARK, experiments.row(name, Promise(EXPECTED[point]), strike))
        dsn = platform.stack.dsn("wallet_app")
        # the lease of the dead one
        books.query(dsn, "UPDATE payments_webhookdelivery SET next_attempt_at = now() WHERE state = 'pending'")
        wait_until("all is told", lambda: not _pending(dsn))
        told = Counter(receiver.ids)
        assert set(told) == {f"wd_{each}_{state}" for each in made for state in ("pending", "settled")}
        assert (max(told.values()) > 1) == (point is CrashPoint.WEBHOOK_SENT)


def _pending(dsn: str) -> int:
    return int(books.query(dsn, "SELECT count(*) FROM payments_webhookdelivery WHERE state = 'pending'")[0][0])
