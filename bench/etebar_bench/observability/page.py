"""The page observability-<date>.md, and the same table for the terminal."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
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
    "of neither",
    "min-max",
    "p50 ms",
    "p99 ms",
    "core ms",
    "settlement ms",
]

HOW_TO = "How to read it: [how-to/benchmarks.md](../how-to/benchmarks.md)."
WRITTEN_BY = f'Written by `make bench ARGS="--observability"`. {HOW_TO}'
EXPLANATION = """\
`neither`: METRICS_PORT=0 and no collector. `metrics`: each service that serves /metrics is read every 5 s. `traces`: a
collector on the same machine takes all spans, or those of 10 % of the traces. Counters are counted in all of them: what
`metrics` adds is that they are read. `of neither` is the rate by that of `neither` in the same round, median of the
rounds; `core ms` and `settlement ms` are CPU time for each final withdrawal. Services are started anew for each variant
of each round, and every other round goes backwards. Compare ratios, not rates: load generator, database, services and
collector share the machine."""


@dataclasses.dataclass(frozen=True)
class Taken:
    """One measured row of a variant."""

    variant: Variant
    measured: Measured


def rows(taken: Sequence[Taken]) -> list[list[str]]:
    """Cells below COLUMNS."""
    clients = sorted({one.measured.row.clients for one in taken})
    return [_cells(taken, variant, number) for number in clients for variant in VARIANTS]


def ratios(taken: Sequence[Taken], variant: Variant, clients: int) -> list[float]:
    """The variant's rate by that of `neither`, round by round."""
    rates = _rates(taken, NEITHER, clients)
    return [rate / rates[number] for number, rate in _rates(taken, variant, clients).items()]


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
    own = [one.measured for one in taken if one.variant == variant and one.measured.row.clients == clients]
    rates, shares = [one.final_per_s for one in own], ratios(taken, variant, clients)
    final = sum(one.answers.final for one in own) or 1
    return [
        variant.name,
        str(clients),
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f}-{max(rates):,.0f}",
        f"{median(shares):.2f}",
        f"{min(shares):.2f}-{max(shares):.2f}",
        f"{median(one.answers.p50_ms for one in own):.1f}",
        f"{median(one.answers.p99_ms for one in own):.1f}",
        *(f"{1000 * sum(one.cpu_seconds[name] for one in own) / final:.2f}" for name in ("core", "settlement")),
    ]


def _rates(taken: Sequence[Taken], variant: Variant, clients: int) -> dict[int, float]:
    own = [one.measured for one in taken if one.variant == variant and one.measured.row.clients == clients]
    return {one.round: one.final_per_s for one in own}
