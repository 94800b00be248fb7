"""A payout keeps the key of the merchant's request, which makes no difference to anything else."""

import httpx2
import pytest
from settlement_helpers import BATCH, PAYOUTS, WITHDRAW, assert_problem, fields_of, withdrawal


async def key_of(client: httpx2.AsyncClient, body: dict[str, str]) -> str | None:
    found: str | None = (await client.get(f"{PAYOUTS}/{body['withdrawal_id']}")).json()["idempotency_key"]
    return found


@pytest.mark.parametrize("key", ["k", "k" * 255, 'printable "ASCII" only', None])
async def test_is_told_as_it_came(client: httpx2.AsyncClient, key: str | None) -> None:
    alone, member = withdrawal(idempotency_key=key), withdrawal(idempotency_key=key)
    assert (await client.post(WITHDRAW, json=alone)).json()["idempotency_key"] == key
    await client.post(BATCH, json={"withdrawals": [member]})
    assert [await key_of(client, body) for body in (alone, member)] == [key, key]


async def test_of_a_repeated_order_the_first_stays_and_nothing_differs(client: httpx2.AsyncClient) -> None:
    body = withdrawal()
    await client.post(WITHDRAW, json=body)
    again = await client.post(WITHDRAW, json=body | {"idempotency_key": "late"})
    assert (again.status_code, again.json()["idempotency_key"]) == (200, None)


@pytest.mark.parametrize("key", ["", "k" * 256, "not\nprintable", "ünicode", 7])
async def test_that_is_none_is_refused(client: httpx2.AsyncClient, key: object) -> None:
    answer = await client.post(WITHDRAW, json=withdrawal() | {"idempotency_key": key})
    assert fields_of(assert_problem(answer, 422, "validation_failed")) == ["idempotency_key"]
