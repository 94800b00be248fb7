"""What the users of all mixes have in common: a merchant's token, and requests whose answers are checked."""

import os
import random
import uuid
from collections.abc import Callable
from typing import Any

from locust import HttpUser, constant

from traffic.tokens import next_token
from traffic.truths import CONFLICT, Answer, Untruth, check_withdrawal

PATH = "/api/v1/withdrawals"
LARGEST_CENTS = 200

Check = Callable[[Answer], object]


def new_key() -> str:
    return uuid.uuid4().hex


def some_amount() -> str:
    cents = random.randint(1, LARGEST_CENTS)  # noqa: S311 - load, no secret
    return f"{cents // 100}.{cents % 100:02}"


class Merchant(HttpUser):
    """Acts as fast as answers come; what is not true is a failure under the request's name."""

    abstract = True
    host = os.environ.get("TARGET_HOST", "http://127.0.0.1:8000")
    wait_time = constant(0)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {next_token()}"

    def ask(self, method: str, path: str, check: Check, name: str, **arguments: Any) -> Answer | None:
        """Sends a request and checks its answer; None when that was a failure. 409 is counted apart, by its code."""
        with self.client.request(method, path, name=name, catch_response=True, **arguments) as response:
            answer = Answer(response.status_code, response.text or "", response.headers or {})
            try:
                check(answer)
                if answer.status == CONFLICT:
                    response.request_meta["name"] = f"{name}: {answer.code}"
            except Untruth as untruth:
                response.failure(str(untruth))
                return None
            response.success()
            return answer

    def withdraw(self, amount: str, key: str, name: str = "withdraw", check: Check | None = None) -> Answer | None:
        """Asks for a withdrawal; `check` says what is true of its answer, if it is not any ordinary one."""
        return self.ask(
            "POST",
            PATH,
            check or (lambda answer: check_withdrawal(answer, amount)),
            name,
            json={"amount": amount},
            headers={"Idempotency-Key": key},
        )
