"""What one row gave in one round."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from etebar_bench.settings import Row

EXACT = "exact"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answers:
    """What whoever made the load saw; `final` are withdrawals that were told to be settled.

    `pending` (202) are errors, too: the caller was not told the outcome. `sample` shows one answer that was unexpected.
    """

    seconds: float
    final: int
    refused: int = 0
    pending: int = 0
    other_errors: int = 0
    p50_ms: float
    p99_ms: float
    generator_cpu_seconds: float
    sample: str = ""

    @property
    def errors(self) -> int:
        return self.pending + self.other_errors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """`books` is EXACT or names the difference; `cpu_seconds` is by process group, the generator included.

    `memory` are the bytes of each process group when the row's load had just ended.
    """

    row: Row
    round: int
    answers: Answers
    books: str
    cpu_seconds: Mapping[str, float]
    memory: Mapping[str, int]

    @property
    def final_per_s(self) -> float:
        return self.answers.final / self.answers.seconds

    @property
    def is_sound(self) -> bool:
        return self.answers.errors == 0 and self.books == EXACT


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank: the smallest value that at least `share` of all do not exceed; 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
