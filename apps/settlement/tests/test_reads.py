from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from settlement_helpers import BATCH, PAYOUTS, WITHDRAW, TestDatabase, assert_problem, fields_of, withdrawal


async def pay(client: httpx2.AsyncClient, *accounts: str) -> tuple[list[str], datetime]:
    started = datetime.now(UTC)
    bodies = [withdrawal(account=account) for account in accounts]
    await client.post(BATCH, json={"withdrawals": bodies})
    return [body["withdrawal_id"] for body in bodies], started


def ids(answer: httpx2.Response) -> list[str]:
    return [payout["withdrawal_id"] for payout in answer.json()["payouts"]]


class TestOnePayout:
    async def test_is_answered_as_it_was_when_it_was_paid(self, client: httpx2.AsyncClient) -> None:
        paid = await client.post(WITHDRAW, json=withdrawal())
        assert (await client.get(f"{PAYOUTS}/{paid.json()['withdrawal_id']}")).json() == paid.json()

    async def test_that_is_not_known_is_404(self, client: httpx2.AsyncClient) -> None:
        assert_problem(await client.get(f"{PAYOUTS}/{uuid4()}"), 404, "not_found")

    async def test_with_an_id_that_is_none_is_404(self, client: httpx2.AsyncClient) -> None:
        for path in ("7", "%00", "payout", f"{uuid4()}0"):
            assert_problem(await client.get(f"{PAYOUTS}/{path}"), 404, "not_found")


class TestAWindow:
    async def test_is_read_in_pages_without_loss_or_repetition(self, client: httpx2.AsyncClient) -> None:
        paid, started = await pay(client, *["IRTEST1"] * 25)
        seen: list[str] = []
        query: dict[str, Any] = {"created_from": started.isoformat(), "limit": 10}
        while True:
            page = await client.get(PAYOUTS, params=query)
            seen += ids(page)
            if not page.json()["next_cursor"]:
                break
            query["cursor"] = page.json()["next_cursor"]
        # One batch has one created_at: the id decides the order.
        assert seen == sorted(paid)

    async def test_has_its_begin_and_not_its_end(self, client: httpx2.AsyncClient) -> None:
        [withdrawal_id], _ = await pay(client, "IRTEST1")
        created_at = (await client.get(f"{PAYOUTS}/{withdrawal_id}")).json()["created_at"]
        later = (datetime.fromisoformat(created_at) + timedelta(microseconds=1)).isoformat()
        assert ids(await client.get(PAYOUTS, params={"created_from": created_at, "created_to": later})) == [
            withdrawal_id
        ]
        assert ids(await client.get(PAYOUTS, params={"created_from": later})) == []
        before = ids(await client.get(PAYOUTS, params={"created_to": created_at, "limit": 1000}))
        assert withdrawal_id not in before

    async def test_can_be_of_one_state(self, client: httpx2.AsyncClient) -> None:
        paid, started = await pay(client, "IRTEST1", "IRTESTREFUSED1", "IRTESTDOWN1")
        for state, withdrawal_id in zip(("paid", "refused", "pending"), paid, strict=True):
            query = {"created_from": started.isoformat(), "state": state}
            assert ids(await client.get(PAYOUTS, params=query)) == [withdrawal_id]

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("state", "gone"),
            ("state", ""),
            ("limit", "0"),
            ("limit", "1001"),
            ("created_from", "yesterday"),
            ("created_from", "1700000000"),
            ("created_from", "2026-01-01T00:00:00"),
            ("created_to", "2026-01-01"),
            ("order", "desc"),
        ],
    )
    async def test_refuses_what_it_does_not_know(self, client: httpx2.AsyncClient, name: str, value: str) -> None:
        problem = assert_problem(await client.get(PAYOUTS, params={name: value}), 422, "validation_failed")
        assert fields_of(problem) == [name]

    @pytest.mark.parametrize("name", ["limit", "state", "cursor", "created_from", "unknown"])
    async def test_refuses_a_parameter_that_comes_twice(self, client: httpx2.AsyncClient, name: str) -> None:
        for values in (("1", "2"), ("1", "1"), ("", "")):
            query = "&".join(f"{name}={value}" for value in values)
            problem = assert_problem(await client.get(f"{PAYOUTS}?created_to=x&{query}"), 422, "validation_failed")
            assert problem["errors"] == [{"field": name, "detail": "is given more than once"}]

    @pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
    async def test_bears_the_ends_of_the_calendar(self, client: httpx2.AsyncClient, moment: str) -> None:
        assert (await client.get(PAYOUTS, params={"created_from": moment, "limit": 1})).status_code == 200

    @pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ü", "MjAyNi0wMS0wMXw", "a" * 300, "\x00"])
    async def test_refuses_a_cursor_that_is_not_ours(self, client: httpx2.AsyncClient, cursor: str) -> None:
        assert_problem(await client.get(PAYOUTS, params={"cursor": cursor}), 404, "cursor_invalid")


class TestALookup:
    async def test_answers_those_that_exist_in_the_requests_order(self, client: httpx2.AsyncClient) -> None:
        paid, _ = await pay(client, "IRTEST1", "IRTEST2", "IRTEST3")
        asked = [paid[2], str(uuid4()), paid[0], paid[2], paid[1]]
        answer = await client.post(f"{PAYOUTS}/lookup", json={"withdrawal_ids": asked})
        assert ids(answer) == [paid[2], paid[0], paid[1]]

    @pytest.mark.parametrize("asked", [[], ["7"], "text", None])
    async def test_refuses_what_is_no_list_of_ids(self, client: httpx2.AsyncClient, asked: Any) -> None:
        answer = await client.post(f"{PAYOUTS}/lookup", json={"withdrawal_ids": asked})
        assert_problem(answer, 422, "validation_failed")

    async def test_of_more_than_a_thousand_is_refused(self, client: httpx2.AsyncClient) -> None:
        asked = [str(uuid4()) for _ in range(1001)]
        answer = await client.post(f"{PAYOUTS}/lookup", json={"withdrawal_ids": asked})
        assert_problem(answer, 422, "validation_failed")

    async def test_is_read_only(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        unknown = str(uuid4())
        await client.post(f"{PAYOUTS}/lookup", json={"withdrawal_ids": [unknown]})
        assert_problem(await client.get(f"{PAYOUTS}/{unknown}"), 404, "not_found")
