"""What a run is asked to do."""

import dataclasses
import enum
from pathlib import Path

BATCH = 100  # withdrawals in one bulk request
MERCHANTS = 1000


class Work(enum.StrEnum):
    """`floor`: the writes of one withdrawal in one SQL call; `single`, `bulk`: over HTTP."""

    FLOOR = "floor"
    SINGLE = "single"
    BULK = "bulk"


@dataclasses.dataclass(frozen=True, order=True)
class Row:
    """One line of the table; it is measured once in each round."""

    work: Work
    clients: int

    @property
    def batch(self) -> int:
        """Withdrawals in one request."""
        return BATCH if self.work is Work.BULK else 1

    def __str__(self) -> str:
        return f"{self.work:<6} {self.clients:>4} clients"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """`generator` is auto, wrk or python; `references` are names with a rate per second, drawn in the plot."""

    rounds: int
    seconds: int
    clients: tuple[int, ...]
    bulk_clients: tuple[int, ...]
    works: tuple[Work, ...]
    processes: int
    generator: str
    output: Path
    writes: bool
    references: tuple[tuple[str, float], ...] = ()
    observability: bool = False
    webhooks: bool = False
    remarks: tuple[str, ...] = ()

    def rows(self) -> list[Row]:
        """Every row once, floor and single of the same number of clients side by side, so that noise hits both."""
        pairs = [(clients, work) for clients in self.clients for work in (Work.FLOOR, Work.SINGLE)]
        pairs += [(clients, Work.BULK) for clients in self.bulk_clients]
        return [Row(work, clients) for clients, work in pairs if work in self.works]

    def in_round(self, number: int) -> list[Row]:
        """The rows of round 1, 2, ... in order; every other round backwards, so that none is always first."""
        return self.rows() if number % 2 else self.rows()[::-1]
