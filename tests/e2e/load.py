"""Steady withdrawals through the ingress while the cluster is changed, and what its clients were told."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.recording import Recording, caller_of, record
from integration.api import Api
from integration.waiting import wait_until

from etebar_verify import judge
from etebar_verify.books import Books, Payment, Withdrawal
from etebar_verify.history import Broken, Event, Told

from .cluster import ADDRESS, Cluster

CLIENTS, BULK_CLIENTS, MERCHANTS = 12, 2, 4
LIMIT = "10000000.00"
POOL = "50000000.00"

_seeds = itertools.count(1)


@dataclass
class Load:
    """Clients that withdraw, and after the `with` the events that they wrote down."""

    recording: Recording
    merchants: Sequence[int]
    events: list[Event] = field(default_factory=list)
    recorder_code: int | None = None

    def go_on(self, answers: int = 40) -> None:
        """Until so many more answers have come: the platform serves now."""
        self.recording.wait_for_answers(answers)

    @property
    def server_errors(self) -> Counter[tuple[int, str | None]]:
        """Answers 5xx, by status and code."""
        told = [each for each in self.events if isinstance(each, Told)]
        return Counter((each.status, each.code) for each in told if each.status >= 500)

    @property
    def summary(self) -> str:
        told = Counter((each.status, each.code) for each in self.events if isinstance(each, Told))
        broken = Counter(each.error for each in self.events if isinstance(each, Broken))
        return f"told {dict(told)}, without an answer {dict(broken)}"


@contextlib.contextmanager
def steady_load(api: Api, directory: Path) -> Iterator[Load]:
    """Single withdrawals and bulks of a few merchants; whoever gets no answer asks again with the same key."""
    api.must("POST", "/admin/pool/topup", {"amount": POOL}, api.admin)
    merchants = [api.merchant(limit=LIMIT) for _ in range(MERCHANTS)]
    callers = [caller_of(merchants[n % MERCHANTS], is_bulk=n < BULK_CLIENTS) for n in range(CLIENTS)]
    with record(ADDRESS, callers, directory, next(_seeds)) as recording:
        load = Load(recording, [each.number for each in merchants])
        load.go_on()
        yield load
        load.go_on()
        load.recorder_code = recording.end()
        load.events = recording.events()
        print(load.summary)  # noqa: T201 - read by whoever runs these for minutes


def read_books(cluster: Cluster, merchants: Sequence[int]) -> Books:
    """What both databases have of these merchants, once none of their withdrawals is pending."""
    of_these = f"merchant_id IN ({', '.join(map(str, merchants))})"
    pending = f"SELECT count(*) FROM payments_withdrawal WHERE state = 'pending' AND {of_these}"
    wait_until("no withdrawal is pending", lambda: cluster.sql("walletdb", pending) == [[0]], 120)
    withdrawals = f"""SELECT w.id::text, k.key, w.merchant_id, w.amount::text, w.state FROM payments_withdrawal w
        LEFT JOIN payments_idempotencykey k ON k.withdrawal_id = w.id WHERE w.{of_these}"""
    payouts = f"SELECT withdrawal_id::text, amount::text, state FROM payouts WHERE {of_these}"
    transfers = f"""SELECT t.reference, t.amount::text, t.state FROM sandbox_transfers t
        JOIN payouts p ON p.withdrawal_id::text = t.reference WHERE p.{of_these}"""
    return Books(
        withdrawals=[Withdrawal(*row) for row in cluster.sql("walletdb", withdrawals)],
        payouts=[Payment(*row) for row in cluster.sql("settlementdb", payouts)],
        transfers=[Payment(*row) for row in cluster.sql("settlementdb", transfers)],
    )


def assert_true(cluster: Cluster, load: Load) -> None:
    """Every client had its last answer, what they were told is what both databases say, and the books agree."""
    assert load.recorder_code == 0, load.summary
    assert judge.lies(load.events, read_books(cluster, load.merchants)) == [], load.summary
    cluster.assert_books_agree()
