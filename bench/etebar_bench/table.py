"""The table, for the terminal and as Markdown: one list of cells for both."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from etebar_bench.books import DEFINITION
from etebar_bench.document import Report
from etebar_bench.results import Result

COLUMNS = ["work", "clients", "final/s", "min-max", "p50 ms", "p99 ms", "refused", "errors", "of the floor", "books"]
MEMORY_COLUMNS = ["work", "clients", "core", "settlement", "postgres", "redis"]
CPU_COLUMNS = ["work", "clients", "core", "settlement", "postgres", "redis", "generator"]
HOW_TO = "What each row is, and how to read it: [how-to/benchmarks.md](../how-to/benchmarks.md)."
MEGABYTE = 1_000_000


def rows(report: Report) -> list[list[str]]:
    """Cells below COLUMNS."""
    return [_cells(result) for result in report.results]


def cpu_rows(report: Report) -> list[list[str]]:
    """Cells below CPU_COLUMNS: CPU time in ms for each final withdrawal."""
    return [
        [str(result.row.work), str(result.row.clients), *(f"{result.cpu_ms[name]:.2f}" for name in CPU_COLUMNS[2:])]
        for result in report.results
    ]


def memory_rows(report: Report) -> list[list[str]]:
    """Cells below MEMORY_COLUMNS: megabytes of each process group after the row."""
    return [
        [
            str(result.row.work),
            str(result.row.clients),
            *(f"{result.memory[name] / MEGABYTE:.0f}" for name in MEMORY_COLUMNS[2:]),
        ]
        for result in report.results
    ]


def memory_line(memory: Mapping[str, Any]) -> str:
    """`core 112 MB, ... (pss)`."""
    parts = [f"{name} {size / MEGABYTE:.0f} MB" for name, size in memory.items() if name != "measure"]
    return f"{', '.join(parts)} ({memory['measure']})"


def proof_lines(report: Report) -> list[str]:
    """What the books say of the whole run."""
    totals = report.proof.totals
    settled, paid = totals["settled"], totals["paid"]
    under_way = f"answered 201: {totals['answered']:,}; under way when a row's load ended: {totals['unseen']:,}"
    booked = f"settled in walletdb: {settled['count']:,} of {settled['amount']}"
    paid_out = f"paid in settlementdb: {paid['count']:,} of {paid['amount']}"
    verified = f"verify_books, code {report.proof.verify_books_code}: {report.proof.verify_books_output}"
    return [under_way, f"{booked}; {paid_out}: {report.proof.sums}", verified]


def aligned(columns: list[str], cells: list[list[str]]) -> list[str]:
    """Lines for the terminal, which no width cuts."""
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    return [
        "  ".join(
            f"{cell:{'>' if number else '<'}{width}}"
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in (columns, *cells)
    ]


def markdown(report: Report, date: dt.date) -> str:
    """The page <date>.md, beside the plot <date>.svg and the data <date>.json."""
    facts = [f"- {name}: {value}" for name, value in {**report.machine, **report.settings}.items()]
    return "\n".join(
        [
            f"# Benchmark of {date.isoformat()}",
            "",
            f"Written by `make bench`. {HOW_TO}",
            "",
            f"![withdrawals per second]({date.isoformat()}.svg)",
            "",
            *grid(COLUMNS, rows(report)),
            "",
            "CPU time in ms for each final withdrawal:",
            "",
            *grid(CPU_COLUMNS, cpu_rows(report)),
            "",
            f"Memory in MB after each row; at the end {memory_line(report.memory)}:",
            "",
            *grid(MEMORY_COLUMNS, memory_rows(report)),
            "",
            "Books:",
            "",
            *(f"- {line}" for line in proof_lines(report)),
            f"- {DEFINITION}",
            "",
            "Measured on:",
            "",
            *facts,
            "",
        ]
    )


def grid(columns: list[str], cells: list[list[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    rule = ["---"] + ["---:"] * (len(columns) - 1)
    return [f"| {' | '.join(line)} |" for line in (columns, rule, *cells)]


def _cells(result: Result) -> list[str]:
    batch = f" of {result.row.batch}" if result.row.batch > 1 else ""
    return [
        f"{result.row.work}{batch}",
        str(result.row.clients),
        f"{result.final_per_s:,.0f}",
        f"{min(result.rates):,.0f}-{max(result.rates):,.0f}",
        f"{result.p50_ms:.1f}",
        f"{result.p99_ms:.1f}",
        str(result.refused),
        str(result.errors),
        "" if result.ratio_to_floor is None else f"{result.ratio_to_floor:.2f}",
        result.books,
    ]
