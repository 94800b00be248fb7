"""Merchants who send lists: POST /api/v1/withdrawals/bulk, now and then a list a second time."""

import os
import random

from locust import task

from traffic.merchant import PATH, Merchant, new_key, some_amount
from traffic.truths import Answer, check_bulk, expect

BULK_ITEMS = int(os.environ.get("BULK_ITEMS", "20"))
REPEATED_SHARE = 0.2


class BulkUser(Merchant):
    @task
    def withdraw_many(self) -> None:
        amounts = {new_key(): some_amount() for _ in range(BULK_ITEMS)}
        first = self._send(amounts, "bulk")
        if first and random.random() < REPEATED_SHARE:  # noqa: S311 - load, no secret
            self._send(amounts, "bulk, repeated", first)

    def _send(self, amounts: dict[str, str], name: str, first: dict[str, Answer] | None = None) -> dict[str, Answer]:
        """Each item's answer by its key; empty after a failure."""
        answers: dict[str, Answer] = {}

        def check(answer: Answer) -> None:
            answers.update(check_bulk(answer, amounts))
            for key, before in (first or {}).items():
                same = answers[key].withdrawal.get("id") == before.withdrawal.get("id")
                expect(truth=same, otherwise="a replayed item with another id")

        items = [{"idempotency_key": key, "amount": amount} for key, amount in amounts.items()]
        sent = self.ask("POST", f"{PATH}/bulk", check, f"{name} of {BULK_ITEMS}", json={"withdrawals": items})
        return answers if sent else {}


EXPOSED = (BulkUser,)
