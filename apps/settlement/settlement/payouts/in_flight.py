"""What this process is working on, so that a repeated request can wait for the work instead of doing it twice."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from settlement.payouts.news import News
from settlement.payouts.records import Payout


class Work:
    """The work on one payout.

    When it has ended, `payout` tells how that stood then, None if it is not known (the database went away).
    """

    __slots__ = ("claimed", "ended", "joined", "listeners", "payout")

    def __init__(self) -> None:
        self.ended = False
        self.payout: Payout | None = None
        self.joined = 0
        self.claimed = False
        self.listeners: list[tuple[News, UUID]] = []

    def listen(self, news: News, withdrawal_id: UUID) -> None:
        """Has `news` told once of how it ends, at once if it has."""
        if self.ended:
            news.tell(withdrawal_id, self.payout)
        else:
            self.listeners.append((news, withdrawal_id))

    def end(self, payout: Payout | None) -> None:
        if self.ended:
            return
        self.ended, self.payout = True, payout
        for news, withdrawal_id in self.listeners:
            news.tell(withdrawal_id, payout)


class InFlight:
    """The works by payout.

    A request joins the works on its payouts before it records them, and leaves when it knows what it could claim.
    Of several requests at once with the same id, it is the database that says which one has the claim, and the
    others may hear of the row before that one does. So a work ends only when its claim is concluded or, if there is
    none, when the last request has left: else one of the others would answer pending for no reason.
    """

    def __init__(self) -> None:
        self._works: dict[UUID, Work] = {}

    def join(self, withdrawal_ids: Iterable[UUID]) -> dict[UUID, Work]:
        works = {each: self._works.get(each) or Work() for each in withdrawal_ids}
        self._works |= works
        for work in works.values():
            work.joined += 1
        return works

    def claim(self, withdrawal_id: UUID) -> Work:
        """The work as the claim's own: a new one if the work at hand belongs to a claim whose lease ran out."""
        work = self._works.get(withdrawal_id)
        if work is None or work.claimed:
            work = self._works[withdrawal_id] = Work()
        work.claimed = True
        return work

    def leave(self, works: Mapping[UUID, Work], payouts: Mapping[UUID, Payout]) -> None:
        for withdrawal_id, work in works.items():
            work.joined -= 1
            if work.joined == 0 and not work.claimed:
                self.end(withdrawal_id, work, payouts.get(withdrawal_id))

    def end(self, withdrawal_id: UUID, work: Work, payout: Payout | None) -> None:
        work.end(payout)
        if self._works.get(withdrawal_id) is work:
            del self._works[withdrawal_id]
