"""The page observability-<date>.md, and the same table for the terminal."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from etebar_bench.document import Proof
from etebar_bench.measured import Measured
from etebar_bench.observability.variants import NEITHER, VARIANTS, Variant
from etebar_bench.table import grid

COLUMNS = [
    "with",
    "clients",
    "final/s",
    "min-max",
    "rate of neither",
    "min-max",
    "CPU ms",
    "CPU of neither",
    "min-max",
    "core ms",
    "settlement ms",
    "p50 ms",
    "p99 ms",
]
PAID_BY = ("core", "settlement", "postgres")

HOW_TO = "How to read it: [how-to/benchmarks.md](../how-to/benchmarks.md)."
WRITTEN_BY = f'Written by `make bench ARGS="--observability"`. {HOW_TO}'
EXPLANATION = """\
`neither`: METRICS_PORT=0 and no collector. `metrics`: each service that serves /metrics is read every 5 s. `traces`: a
collector on the same machine takes all spans, or those of 10 % of the traces. Counters are counted in all of them: what
`metrics` adds is that they are read. `of neither` compares with `neither` in the same round, median of the rounds. `CPU
ms` is CPU time of core, settlement and PostgreSQL for each final withdrawal: other programs on the machine disturb it
less than the rate, which load generator, database, services and collector share with them. Where the rates of `neither`
differ widely between rounds, believe the CPU time. Services are started anew for each variant of each round, and every
other round goes backwards."""

Value = Callable[[Measured], float]


@dataclasses.dataclass(frozen=True)
class Taken:
    """One measured row of a variant."""

    variant: Variant
    measured: Measured


def rows(taken: Sequence[Taken]) -> list[list[str]]:
    """Cells below COLUMNS."""
    clients = sorted({one.measured.row.clients for one in taken})
    return [_cells(taken, variant, number) for number in clients for variant in VARIANTS]


def ratios(taken: Sequence[Taken], variant: Variant, clients: int, value: Value) -> list[float]:
    """A value of the variant by that of `neither`, round by round."""
    neither = {one.round: value(one) for one in _own(taken, NEITHER, clients)}
    return [value(one) / neither[one.round] for one in _own(taken, variant, clients)]


def cpu_ms(one: Measured) -> float:
    """CPU time of those who serve, for each final withdrawal."""
    return sum(1000 * one.cpu_seconds[name] for name in PAID_BY) / (one.answers.final or 1)


def page(date: dt.date, taken: Sequence[Taken], proof: Proof, facts: Mapping[str, Any], remarks: Sequence[str]) -> str:
    """All of it, in Markdown."""
    return "\n".join(
        [
            f"# What metrics and traces cost, {date.isoformat()}",
            "",
            WRITTEN_BY,
            "",
            *grid(COLUMNS, rows(taken)),
            "",
            EXPLANATION,
            "",
            *(f"- {remark}" for remark in remarks),
            f"- books: {proof.sums}; verify_books, code {proof.verify_books_code}: {proof.verify_books_output}",
            "",
            "Measured on:",
            "",
            *(f"- {name}: {value}" for name, value in facts.items()),
            "",
        ]
    )


def _cells(taken: Sequence[Taken], variant: Variant, clients: int) -> list[str]:
    own = _own(taken, variant, clients)
    rates, final = [one.final_per_s for one in own], sum(one.answers.final for one in own) or 1
    return [
        variant.name,
        str(clients),
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f}-{max(rates):,.0f}",
        *_shares(ratios(taken, variant, clients, lambda one: one.final_per_s)),
        f"{median(cpu_ms(one) for one in own):.2f}",
        *_shares(ratios(taken, variant, clients, cpu_ms)),
        *(f"{1000 * sum(one.cpu_seconds[name] for one in own) / final:.2f}" for name in ("core", "settlement")),
        f"{median(one.answers.p50_ms for one in own):.1f}",
        f"{median(one.answers.p99_ms for one in own):.1f}",
    ]


def _shares(values: Sequence[float]) -> tuple[str, str]:
    return f"{median(values):.2f}", f"{min(values):.2f}-{max(values):.2f}"


def _own(taken: Sequence[Taken], variant: Variant, clients: int) -> list[Measured]:
    return [one.measured for one in taken if one.variant == variant and one.measured.row.clients == clients]
