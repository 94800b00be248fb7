"""The run as data: what <date>.json holds."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from etebar_bench.books import DEFINITION
from etebar_bench.measured import EXACT
from etebar_bench.results import Result


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proof:
    """What was compared at the end: the sums, and `manage.py verify_books`."""

    sums: str
    totals: Mapping[str, Any]
    verify_books_code: int
    verify_books_output: str

    @property
    def holds(self) -> bool:
        return self.sums == EXACT and self.verify_books_code == 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that is written; `references` are rates that were measured elsewhere."""

    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    results: Sequence[Result]
    memory: Mapping[str, Any]
    proof: Proof
    references: Sequence[tuple[str, float]] = ()

    @property
    def is_sound(self) -> bool:
        """No error and exact books; how fast it was does not matter."""
        return self.proof.holds and all(result.errors == 0 and result.books == EXACT for result in self.results)


def as_data(report: Report, date: dt.date) -> dict[str, Any]:
    """Plain lists, dicts, strings and numbers."""
    proof = report.proof
    return {
        "date": date.isoformat(),
        "machine": dict(report.machine),
        "settings": dict(report.settings),
        "rows": [_row(result) for result in report.results],
        "memory": dict(report.memory),
        "books": {
            "definition": DEFINITION,
            "sums": proof.sums,
            **proof.totals,
            "verify_books": {"code": proof.verify_books_code, "output": proof.verify_books_output},
        },
    }


def _row(result: Result) -> dict[str, Any]:
    row = {
        "work": result.row.work.value,
        "clients": result.row.clients,
        "final_per_s": round(result.final_per_s, 1),
        "final_per_s_min": round(min(result.rates), 1),
        "final_per_s_max": round(max(result.rates), 1),
        "p50_ms": round(result.p50_ms, 2),
        "p99_ms": round(result.p99_ms, 2),
        "refused": result.refused,
        "errors": result.errors,
        "ratio_to_floor": None if result.ratio_to_floor is None else round(result.ratio_to_floor, 3),
        "books": result.books,
        "rounds": [round(rate, 1) for rate in result.rates],
        "cpu_ms_per_final": {name: round(value, 3) for name, value in result.cpu_ms.items()},
        "memory_bytes": dict(result.memory),
    }
    return row | ({"batch": result.row.batch} if result.row.batch > 1 else {})
