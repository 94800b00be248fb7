"""PostgreSQL goes away under load and comes back: nothing acknowledged is lost, and nobody needs to help core."""

from collections.abc import Callable

import pytest

from etebar_quickstart.stack import Stack

from . import books
from .api import assert_problem
from .load import PersistentClients
from .platform import Platform
from .waiting import wait_until

CLIENTS = 8


def restart_under_load(stack: Stack, clients: PersistentClients, take_away: Callable[[str], None]) -> None:
    """Load, no database, load again."""
    wait_until("withdrawals are accepted", lambda: len(clients.accepted) > 5 * CLIENTS)
    take_away("postgres")
    wait_until("clients are turned away", lambda: len(clients.others) > CLIENTS)
    stack.restart("postgres")
    before = len(clients.accepted)
    wait_until("withdrawals are accepted again", lambda: len(clients.accepted) > before + 5 * CLIENTS)


def wait_none_pending(stack: Stack, merchant: int) -> dict[str, str]:
    """The merchant's withdrawals, once the dispatcher has ended all of them."""
    books.make_due(stack)

    def ended() -> dict[str, str]:
        states = books.withdrawals_of(stack, merchant)
        return {} if "pending" in states.values() else states

    return wait_until("all withdrawals have ended", ended)


class TestPostgresRestartedUnderLoad:
    @pytest.mark.parametrize("how", ["stop", "kill9"])
    def test_loses_nothing_acknowledged_and_core_recovers_by_itself(
        self, platform: Platform, stack: Stack, how: str
    ) -> None:
        merchant = platform.api.merchant(limit="10000.00")
        processes = platform.processes_of("core")
        clients = PersistentClients([merchant] * CLIENTS)
        clients.run_while(lambda: restart_under_load(stack, clients, getattr(stack, how)))
        for answer in clients.others:
            assert_problem(answer, 503, "database_unavailable")
            assert int(answer.headers["Retry-After"]) > 0
        withdrawals = wait_none_pending(stack, merchant.number)
        assert sorted(each.json()["id"] for each in clients.accepted) == sorted(withdrawals)
        assert set(withdrawals.values()) == {"settled"}
        assert books.payments_of(stack, *withdrawals) == sorted(withdrawals)
        assert platform.processes_of("core") == processes
        books.assert_books_agree(stack)
