"""CPU time, wall time and WAL of payments_reserve and payments_confirm, by length of list."""

import dataclasses
import json
import statistics
from collections.abc import Sequence

from etebar_bench.capacity.backend import REFUSALS, RESERVE, Backend, settled
from etebar_bench.capacity.lists import new_list

MEMBERS = 3000  # of each length together, within FEWEST and MOST lists
FEWEST, MOST = 9, 400


@dataclasses.dataclass(frozen=True)
class Cost:
    """Medians of one length of list. Of a whole list, in us; `wal_bytes` of both calls, for each member."""

    length: int
    reserve_cpu_us: float
    confirm_cpu_us: float
    reserve_wall_us: float
    confirm_wall_us: float
    wal_bytes: float


def costs(backend: Backend, merchants: range, lengths: Sequence[int], repeats: int | None = None) -> list[Cost]:
    """One Cost for each length; the first lists, for which plans are made and pages read, are not counted."""
    for length in lengths:
        _once(backend, length, merchants)
    return [
        _cost(backend, length, merchants, repeats or min(max(MEMBERS // length, FEWEST), MOST)) for length in lengths
    ]


def _once(backend: Backend, length: int, merchants: range) -> tuple[float, float, float, float, float]:
    items = new_list(length, merchants)
    ((before,),) = backend.query("SELECT pg_current_wal_insert_lsn() - '0/0'")
    reserve_cpu, reserve_wall = backend.reserve(items)
    confirm_cpu, confirm_wall = backend.confirm(items)
    ((after,),) = backend.query("SELECT pg_current_wal_insert_lsn() - '0/0'")
    return reserve_cpu, confirm_cpu, reserve_wall, confirm_wall, float(after - before) / length


def _cost(backend: Backend, length: int, merchants: range, repeats: int) -> Cost:
    columns = zip(*(_once(backend, length, merchants) for _ in range(repeats)), strict=True)
    return Cost(length, *(statistics.median(column) for column in columns))


@dataclasses.dataclass(frozen=True)
class Line:
    """Of a list: the fixed part, and what each member adds, in us."""

    fixed_us: float
    member_us: float


def line(points: Sequence[tuple[int, float]]) -> Line:
    """The line through medians of whole lists; each relative error counts alike, so that short lists count too."""
    weights = [1 / y**2 for _, y in points]
    mean_n, mean_y = (_mean([point[axis] for point in points], weights) for axis in (0, 1))
    spread = sum(weight * (n - mean_n) ** 2 for (n, _), weight in zip(points, weights, strict=True))
    rise = sum(weight * (n - mean_n) * (y - mean_y) for (n, y), weight in zip(points, weights, strict=True))
    slope = rise / spread if spread else 0.0
    return Line(mean_y - slope * mean_n, slope)


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)


SCANS = """
SELECT relname, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_xact_user_tables WHERE relname NOT LIKE 'capacity%'
"""


def scans(backend: Backend, merchants: range, length: int) -> dict[str, tuple[int, int]]:
    """How often one list reads each table whole, and how often by an index; nothing is kept of it."""
    items = new_list(length, merchants)
    backend.query("BEGIN")
    try:
        before = {name: (whole, index) for name, whole, index in backend.query(SCANS)}
        backend.query(RESERVE, json.dumps(items), REFUSALS)
        backend.query("SELECT * FROM payments_confirm(%s)", json.dumps([settled(item) for item in items]))
        after = backend.query(SCANS)
    finally:
        backend.query("ROLLBACK")
    return {
        name: (whole - before.get(name, (0, 0))[0], index - before.get(name, (0, 0))[1])
        for name, whole, index in sorted(after)
        if (whole, index) != before.get(name, (0, 0))
    }


def checkpoint(backend: Backend) -> None:
    """One now, so that none begins while we measure; each page is whole in the WAL the first time after it."""
    backend.query("CHECKPOINT")
