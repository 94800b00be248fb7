"""Merchants who withdraw: the seed's load test."""

import os
import uuid

from locust import HttpUser, constant, task

from traffic.tokens import next_token

WITHDRAW_AMOUNT = os.environ.get("WITHDRAW_AMOUNT", "1.00")
SETTLED, PENDING, REFUSED = 201, 202, 409


class MerchantUser(HttpUser):
    """One merchant after another, as fast as answers come."""

    host = os.environ.get("TARGET_HOST", "http://127.0.0.1:8000")
    wait_time = constant(0)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {next_token()}"

    @task
    def withdraw(self) -> None:
        """201 and 202 are successes; 409 is an honest refusal and is counted apart."""
        with self.client.post(
            "/api/v1/withdrawals",
            json={"amount": WITHDRAW_AMOUNT},
            headers={"Idempotency-Key": uuid.uuid4().hex},
            catch_response=True,
        ) as response:
            if response.status_code in {SETTLED, PENDING}:
                response.success()
            elif response.status_code == REFUSED:
                response.request_meta["name"] = f"refused: {response.json()['code']}"
                response.success()
            else:
                response.failure(f"{response.status_code}: {response.text[:200]}")


EXPOSED = (MerchantUser,)
