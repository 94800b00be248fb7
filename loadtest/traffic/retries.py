"""Impatient clients: every request is sent two or three times with its key, one after the other or at once."""

import random

import gevent
from locust import task

from traffic.merchant import Merchant, new_key, some_amount
from traffic.truths import CONFLICT, IN_PROGRESS, Answer, Untruth, check_replay, check_together, check_withdrawal


class RetryingUser(Merchant):
    @task
    def one_after_the_other(self) -> None:
        amount, key = some_amount(), new_key()
        first = self.withdraw(amount, key)
        for _ in range(random.randint(1, 2)) if first else ():  # noqa: S311 - load, no secret
            self.withdraw(amount, key, "withdraw, repeated", lambda again: check_replay(first, again, amount))

    @task
    def at_once(self) -> None:
        """All answers are compared with each other; a lie is told under a name of its own."""
        amount, key, count = some_amount(), new_key(), random.randint(2, 3)  # noqa: S311 - load, no secret
        sent = [gevent.spawn(self._one_of_several, amount, key) for _ in range(count)]
        answers = [answer for each in sent if (answer := each.get())]
        if len(answers) < count:
            return
        try:
            check_together(answers, amount)
        except Untruth as untruth:
            self.tell_untruth("withdraw, answers to one key", untruth)

    def _one_of_several(self, amount: str, key: str) -> Answer | None:
        def check(answer: Answer) -> None:
            if not (answer.status == CONFLICT and answer.code == IN_PROGRESS):
                check_withdrawal(answer, amount)

        return self.withdraw(amount, key, "withdraw, at once", check)

    def tell_untruth(self, name: str, untruth: Untruth) -> None:
        """A failure that belongs to no single request."""
        self.environment.events.request.fire(
            request_type="CHECK", name=name, response_time=0, response_length=0, exception=untruth, context={}
        )


EXPOSED = (RetryingUser,)
