"""From the rounds to the table: medians, spread, and the ratio to the floor of the same round."""

import dataclasses
from collections.abc import Mapping, Sequence
from statistics import median

from etebar_bench.measured import EXACT, Measured
from etebar_bench.settings import Row, Work


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """A line of the table.

    `cpu_ms` is CPU time in ms for each final withdrawal, by process group; `memory` the most bytes.
    `ratio_to_floor` is None of the floor itself and where no floor was measured.
    """

    row: Row
    rates: tuple[float, ...]
    p50_ms: float
    p99_ms: float
    refused: int
    errors: int
    sample: str
    ratio_to_floor: float | None
    books: str
    cpu_ms: Mapping[str, float]
    memory: Mapping[str, int]

    @property
    def final_per_s(self) -> float:
        return median(self.rates)


def of(measured: Sequence[Measured], rows: Sequence[Row]) -> list[Result]:
    """The rows in their order, each over all its rounds."""
    return [_result(row, [one for one in measured if one.row == row], measured) for row in rows]


def _result(row: Row, rounds: Sequence[Measured], measured: Sequence[Measured]) -> Result:
    ratios = [ratio for one in rounds if (ratio := ratio_to_floor(one, measured)) is not None]
    return Result(
        row=row,
        rates=tuple(one.final_per_s for one in rounds),
        p50_ms=median(one.answers.p50_ms for one in rounds),
        p99_ms=median(one.answers.p99_ms for one in rounds),
        refused=sum(one.answers.refused for one in rounds),
        errors=sum(one.answers.errors for one in rounds),
        sample=next((one.answers.sample for one in rounds if one.answers.sample), ""),
        ratio_to_floor=median(ratios) if ratios else None,
        books=_books(rounds),
        cpu_ms=_cpu_ms(rounds),
        memory={name: max(one.memory[name] for one in rounds) for name in rounds[0].memory},
    )


def ratio_to_floor(one: Measured, measured: Sequence[Measured]) -> float | None:
    """To the floor of the same round: at as many clients, or, of a bulk row, to the best one."""
    floors = {
        other.row.clients: other.final_per_s
        for other in measured
        if other.round == one.round and other.row.work is Work.FLOOR
    }
    if one.row.work is Work.FLOOR or not floors:
        return None
    floor = max(floors.values()) if one.row.work is Work.BULK else floors.get(one.row.clients)
    return one.final_per_s / floor if floor else None


def _books(rounds: Sequence[Measured]) -> str:
    wrong = [f"round {one.round}: {one.books}" for one in rounds if one.books != EXACT]
    return "; ".join(wrong) or EXACT


def _cpu_ms(rounds: Sequence[Measured]) -> dict[str, float]:
    final = sum(one.answers.final for one in rounds) or 1
    return {name: 1000 * sum(one.cpu_seconds[name] for one in rounds) / final for name in rounds[0].cpu_seconds}
