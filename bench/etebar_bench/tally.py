"""What python_load counts of the answers; load.lua counts the same of wrk's."""

import re
from collections import Counter

# A member's own status is the one before "replayed"; a problem in its body has another.
MEMBER = re.compile(rb'"status":(\d+),"replayed":false,"body":(\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})')
ID = re.compile(rb'"id":"([^"]+)"')
COUNTED = {201: "final", 202: "pending", 409: "refused"}
CREATED, MANY = 201, 207


class Tally:
    """Counts answers; the ids of those that are settled are kept."""

    def __init__(self, batch: int) -> None:
        self.counts: Counter[str] = Counter()
        self.latencies_us: list[float] = []
        self.ids: list[str] = []
        self.sample = ""
        self._batch = batch

    def answer(self, status: int, body: bytes, microseconds: float) -> None:
        self.latencies_us.append(microseconds)
        if status != MANY:
            self._count(status, body, self._batch)
            return
        members = MEMBER.findall(body)
        for own_status, own_body in members:
            self._count(int(own_status), own_body, 1)
        if len(members) < self._batch:
            self._count(0, body, self._batch - len(members))

    def _count(self, status: int, body: bytes, times: int) -> None:
        name = COUNTED.get(status, "other_errors")
        if status == CREATED:
            found = ID.search(body) if b'"state":"settled"' in body else None
            name = "final" if found else "other_errors"
            self.ids += [found[1].decode()] if found else []
        self.counts[name] += times
        if name in {"pending", "other_errors"} and not self.sample:
            self.sample = f"{status} {' '.join(body[:200].decode(errors='replace').split())}"
