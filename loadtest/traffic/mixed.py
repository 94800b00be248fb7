"""A day at the shop: 60 % withdrawals, 25 % reads, 10 % repeated keys, 5 % amounts that are none."""

import random
from collections import deque
from collections.abc import Callable, Sequence

from locust import task

from traffic.merchant import PATH, Merchant, new_key, some_amount
from traffic.truths import (
    Answer,
    check_invalid,
    check_ledger,
    check_me,
    check_replay,
    check_shown,
    check_withdrawals,
)

REMEMBERED, MOST_PAGES, PAGE_ROWS = 20, 3, 10
NO_AMOUNTS = ("0", "-1.00", "0.001", "1e3", "NaN", "much", "", "99999999999999999999.00")

PagesCheck = Callable[[Sequence[Answer]], None]


class MixedUser(Merchant):
    """Remembers its last withdrawals, to ask for them again."""

    def on_start(self) -> None:
        super().on_start()
        self.remembered: deque[tuple[str, str, Answer]] = deque(maxlen=REMEMBERED)

    @task(60)
    def new_withdrawal(self) -> None:
        amount, key = some_amount(), new_key()
        answer = self.withdraw(amount, key)
        if answer is not None:
            self.remembered.append((amount, key, answer))

    @task(8)
    def me(self) -> None:
        self.ask("GET", "/api/v1/me", check_me, "me")

    @task(4)
    def one_withdrawal(self) -> None:
        """One of its own, by id; its amount and id never change."""
        accepted = [answer for _, _, answer in self.remembered if answer.is_accepted]
        if not accepted:
            return self.new_withdrawal()
        first = random.choice(accepted).withdrawal  # noqa: S311 - load, no secret
        self.ask("GET", f"{PATH}/{first['id']}", lambda answer: check_shown(answer, first), "one withdrawal")
        return None

    @task(7)
    def withdrawals(self) -> None:
        self._pages(PATH, check_withdrawals, "withdrawals, page by page")

    @task(6)
    def ledger(self) -> None:
        self._pages("/api/v1/ledger", check_ledger, "ledger, page by page")

    @task(10)
    def repeat(self) -> None:
        if not self.remembered:
            return self.new_withdrawal()
        amount, key, first = random.choice(self.remembered)  # noqa: S311 - load, no secret
        self.withdraw(amount, key, "withdraw, repeated", lambda again: check_replay(first, again, amount))
        return None

    @task(5)
    def no_amount(self) -> None:
        self.withdraw(random.choice(NO_AMOUNTS), new_key(), "withdraw, no amount", check_invalid)  # noqa: S311 - load

    def _pages(self, path: str, check: PagesCheck, name: str) -> None:
        """Follows `next` for some pages; all that came so far must be true together."""
        pages: list[Answer] = []
        following: str | None = f"{path}?limit={PAGE_ROWS}"
        while following and len(pages) < MOST_PAGES:
            page = self.ask("GET", following, lambda answer: check([*pages, answer]), name)
            if page is None:
                return
            pages.append(page)
            following = page.members["next"]


EXPOSED = (MixedUser,)
