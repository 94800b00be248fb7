"""What was measured, as aligned lines."""

from collections.abc import Iterable, Sequence

from etebar_bench.capacity.backend import Backend
from etebar_bench.capacity.costs import Cost, Line, line, scans
from etebar_bench.capacity.parts import parts
from etebar_bench.table import aligned

SIZES = """
SELECT relname, pg_relation_size(oid), pg_indexes_size(oid) FROM pg_class
WHERE relname IN ('payments_withdrawal', 'payments_idempotencykey', 'payments_ledgerentry', 'payments_apirequestlog')
ORDER BY relname
"""
Rows = list[Sequence[str]]


def tell(title: str, rows: Rows) -> None:
    """Prints a table, whose first row are its columns."""
    print(f"\n{title}")  # noqa: T201 - our output
    columns, *cells = ([*row] for row in rows)
    for text in aligned(columns, cells):
        print(text)  # noqa: T201


def cost_rows(costs: Iterable[Cost]) -> Rows:
    """A row for each length, and the lines through them."""
    costs = list(costs)
    rows: Rows = [("list", "reserve CPU", "confirm CPU", "reserve wall", "confirm wall", "WAL bytes/member")]
    for cost in costs:
        times = (cost.reserve_cpu_us, cost.confirm_cpu_us, cost.reserve_wall_us, cost.confirm_wall_us)
        rows.append((str(cost.length), *(f"{time:,.0f}" for time in times), f"{cost.wal_bytes:,.0f}"))
    reserve = line([(cost.length, cost.reserve_cpu_us) for cost in costs])
    confirm = line([(cost.length, cost.confirm_cpu_us) for cost in costs])
    return [*rows, ("model", _text(reserve), _text(confirm), "", "", "")]


def _text(model: Line) -> str:
    return f"{model.fixed_us:,.0f} + {model.member_us:,.0f} n"


def part_rows(wallet: Backend, merchants: range, length: int) -> Rows:
    """A row for each statement of the money functions."""
    found = parts(wallet, merchants, length)
    return [
        ("statement", "list", "member"),
        *((name, f"{took:,.0f}", f"{took / length:,.1f}") for name, took in found.items()),
    ]


def scan_rows(wallet: Backend, merchants: range, length: int) -> Rows:
    """A row for each table that a list reads."""
    found = scans(wallet, merchants, length)
    return [
        ("table", "read whole", "by index"),
        *((name, str(whole), str(index)) for name, (whole, index) in found.items()),
    ]


def size_rows(wallet: Backend) -> Rows:
    """A row for each table of withdrawals."""
    return [
        ("table", "bytes", "of its indexes"),
        *((name, f"{size:,}", f"{index:,}") for name, size, index in wallet.query(SIZES)),
    ]
