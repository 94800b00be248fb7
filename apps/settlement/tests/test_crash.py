"""kill -9 where it hurts most: a real process dies, another one goes on, the bank has paid once."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from settlement_helpers import BATCH, PAYOUTS, WITHDRAW, TestDatabase, process, withdrawal


def die_at(point: str, database: TestDatabase, directory: Path, path: str, body: dict[str, Any]) -> None:
    armed = directory / "crash"
    armed.write_text(point)
    with process(database.environ(CRASH_POINT_FILE=str(armed))) as dying:
        dying.wait_until_serving()
        with pytest.raises(httpx2.TransportError):
            dying.client.post(path, json=body)
        assert dying.popen.wait(10) == -9


class TestAProcessKilledAfterRecording:
    async def test_has_sent_nothing_and_the_repeated_request_pays_once(
        self, database: TestDatabase, tmp_path: Path
    ) -> None:
        body = withdrawal()
        die_at("after_payout_recorded", database, tmp_path, WITHDRAW, body)
        assert await database.transfer(body["withdrawal_id"]) is None
        await database.expire_lease(body["withdrawal_id"])
        with process(database.environ()) as next_one:
            next_one.wait_until_serving()
            assert next_one.client.get(f"{PAYOUTS}/{body['withdrawal_id']}").json()["state"] == "pending"
            assert next_one.client.post(WITHDRAW, json=body).json()["state"] == "paid"
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert (transfer["state"], transfer["pay_calls"]) == ("paid", 1)


class TestAProcessKilledAfterTheBankPaid:
    async def test_left_it_pending_and_the_repeated_request_records_it_without_paying_again(
        self, database: TestDatabase, tmp_path: Path
    ) -> None:
        bodies = [withdrawal() for _ in range(3)]
        batch = {"withdrawals": bodies}
        die_at("after_rail_paid", database, tmp_path, BATCH, batch)
        with process(database.environ()) as next_one:
            next_one.wait_until_serving()
            under_lease = next_one.client.post(BATCH, json=batch).json()["results"]
            assert [result["state"] for result in under_lease] == ["pending"] * 3
            for body in bodies:
                await database.expire_lease(body["withdrawal_id"])
            results = next_one.client.post(BATCH, json=batch).json()["results"]
            assert [result["state"] for result in results] == ["paid"] * 3
        for body in bodies:
            transfer = await database.transfer(body["withdrawal_id"])
            assert transfer
            assert (transfer["state"], transfer["pay_calls"]) == ("paid", 1)
