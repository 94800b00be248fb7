"""payments_reserve decides a list exactly as if its members came one by one."""

import dataclasses
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payments.books.checks import find_differences
from payments.idempotency.identity import RequestIdentity, digest_fields
from payments.models import CreditPool, IdempotencyKey, LedgerEntry, Merchant, MerchantCredit, Withdrawal
from payments.sandbox.services import Seed, _add_merchants
from payments.tests.factories import fund_pool, make_merchant
from payments.withdrawals.reserve import DUPLICATE, ReserveRequest, reserve

pytestmark = pytest.mark.usefixtures("books")


def request(merchant_id: int, amount: str, key: str | None = None) -> ReserveRequest:
    value = Decimal(amount)
    digests = digest_fields({"amount": value})
    identity = RequestIdentity(f"user:{merchant_id}", key or uuid4().hex, "POST", "/api/v1/withdrawals", digests)
    return ReserveRequest(uuid4(), merchant_id, value, identity, 5.0, {})


def outcomes(requests: list[ReserveRequest]) -> list[str]:
    """Of one list; a key that is in it twice is asked again, as the pipeline does."""
    results = [result.outcome for result in reserve(requests)] if requests else []
    again = [index for index, outcome in enumerate(results) if outcome == DUPLICATE]
    for index, outcome in zip(again, outcomes([requests[index] for index in again]) if again else [], strict=True):
        results[index] = outcome
    return results


class TestTheTraceOfARequest:
    def test_is_kept_with_its_withdrawal_and_nothing_is_of_another(self) -> None:
        fund_pool()
        merchant, traceparent = make_merchant(), f"00-{'a' * 32}-{'b' * 16}-01"
        traced = dataclasses.replace(request(merchant.pk, "1.00"), trace_parent=traceparent)
        # as code sends it that does not know of traces: the member is not there at all
        untraced = request(merchant.pk, "1.00")
        assert "trace_parent" not in untraced.item(1)
        assert outcomes([traced, untraced]) == ["accepted", "accepted"]
        kept = dict(Withdrawal.objects.values_list("pk", "trace_parent"))
        assert kept == {traced.withdrawal_id: traceparent, untraced.withdrawal_id: None}


class TestLists:
    def test_each_member_gets_its_own_outcome(self) -> None:
        fund_pool()
        rich, poor, waiting = make_merchant(), make_merchant(limit="1.00"), make_merchant(approved=False)
        asked = [
            request(rich.pk, "5.00"),
            request(poor.pk, "2.00"),
            request(waiting.pk, "1.00"),
            request(rich.pk, "5.00"),
        ]
        assert outcomes(asked) == ["accepted", "insufficient_credit", "merchant_not_active", "accepted"]
        assert find_differences() == []

    def test_one_merchants_members_share_its_limit_in_order(self) -> None:
        fund_pool()
        merchant = make_merchant(limit="10.00")
        asked = [request(merchant.pk, amount) for amount in ("6.00", "5.00", "4.00", "0.01")]
        assert outcomes(asked) == ["accepted", "insufficient_credit", "accepted", "insufficient_credit"]

    def test_a_pool_that_covers_only_some_serves_them_in_order_of_arrival(self) -> None:
        fund_pool("10.00")
        merchants = [make_merchant() for _ in range(4)]
        asked = [request(m.pk, a) for m, a in zip(merchants, ("6.00", "5.00", "3.00", "1.00"), strict=True)]
        assert outcomes(asked) == ["accepted", "insufficient_pool", "accepted", "accepted"]
        assert CreditPool.objects.get().available_amount == 0
        assert find_differences() == []

    def test_a_member_refused_by_the_pool_does_not_use_up_its_merchants_limit(self) -> None:
        fund_pool("5.00")
        merchant = make_merchant(limit="10.00")
        asked = [request(merchant.pk, "8.00"), request(merchant.pk, "5.00")]
        assert outcomes(asked) == ["insufficient_pool", "accepted"]

    def test_a_key_twice_in_a_list_is_one_withdrawal_and_its_replay(self) -> None:
        fund_pool()
        merchant = make_merchant()
        asked = [
            request(merchant.pk, "1.00", "k"),
            request(merchant.pk, "1.00", "k"),
            request(merchant.pk, "2.00", "k"),
        ]
        assert outcomes(asked) == ["accepted", "replay", "reused"]
        assert Withdrawal.objects.count() == 1

    def test_a_list_may_ask_for_more_than_a_column_can_hold(self) -> None:
        fund_pool("1.00")
        largest = "900000000000000000.00"
        merchants = [make_merchant(limit=largest) for _ in range(3)]
        asked = [request(m.pk, a) for m, a in zip(merchants, (largest, largest, "1.00"), strict=True)]
        assert outcomes(asked) == ["insufficient_pool", "insufficient_pool", "accepted"]

    def test_an_empty_list_is_nothing(self) -> None:
        assert reserve([]) == []

    def test_it_refuses_to_run_inside_a_transaction(self) -> None:
        with transaction.atomic(), pytest.raises(RuntimeError, match="another transaction"):
            reserve([request(1, "1.00")])


REFUSED = 409

MEMBERS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["0.01", "1.00", "2.50", "4.00", "7.00"]),
        st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]),
    ),
    min_size=1,
    max_size=12,
)


def fresh_books(pool: str, merchants: int = 3) -> list[Merchant]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT payments_sandbox_clear()")
        _add_merchants(Seed(merchants=merchants, credit_limit=Decimal("10.00")))
        fund_pool(pool)
    return list(Merchant.objects.order_by("pk"))


def everything(merchants: list[Merchant]) -> dict[str, Any]:
    """All that can be seen of the books, without what differs between two runs: ids and times."""
    place = {merchant.pk: index for index, merchant in enumerate(merchants)}
    entries = LedgerEntry.objects.exclude(kind="top_up").order_by("account", "account_id", "number")
    return {
        "pool": CreditPool.objects.values_list("available_amount", "ledger_number").get(),
        "credit": list(MerchantCredit.objects.order_by("merchant_id").values_list("utilized_amount", "ledger_number")),
        "entries": [
            (e.account, place.get(e.account_id) if e.account == "merchant" else 0, e.number, e.amount, e.balance_after)
            for e in entries
        ],
        "keys": sorted(
            (key.key, key.status or 0, (key.body or "") if key.status == REFUSED else "", key.withdrawal_id is not None)
            for key in IdempotencyKey.objects.all()
        ),
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members=MEMBERS, pool=st.sampled_from(["0.01", "5.00", "12.00", "1000.00"]))
def test_a_list_equals_one_by_one(members: list[tuple[int, str, str]], pool: str) -> None:
    def run(*, together: bool) -> tuple[list[str], dict[str, Any]]:
        merchants = fresh_books(pool)
        asked = [request(merchants[index].pk, amount, f"{index}{key}") for index, amount, key in members]
        # the scope differs between the runs with the merchants' ids, the keys do not
        results = outcomes(asked) if together else [outcome for one in asked for outcome in outcomes([one])]
        assert find_differences() == []
        return results, everything(merchants)

    assert run(together=True) == run(together=False)
