"""Wall time of each statement within payments_reserve and payments_confirm."""

import json
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator

from etebar_bench.capacity.backend import REFUSALS, RESERVE, Backend, settled
from etebar_bench.capacity.lists import new_list

TIMED = (
    "payments_decide_keys(payments_reserve_item[])",
    "payments_write_accepted(payments_decision[],numeric)",
    "payments_write_decisions(payments_decision[],jsonb)",
    "payments_reserve(jsonb,jsonb)",
    "payments_confirm(jsonb)",
)
# A statement at the body's own level; what is within IF, LOOP or BEGIN counts as nobody's.
STATEMENT = re.compile(r"^ {4}(?!IF|FOR|BEGIN|END|EXCEPTION|RETURN v|--)(\S.*)$")
LAP = re.compile(r"(from|till) (.+) ([\d.]+)\s*$")
CLOCK = "    RAISE NOTICE '{side} {label} %', extract(epoch FROM clock_timestamp()) * 1e6;"


def parts(backend: Backend, merchants: range, length: int, repeats: int = 15) -> dict[str, float]:
    """Time in us of each statement, for a whole list; medians.

    The functions that are there get a clock around each statement, in a transaction that is rolled back. What the
    clocks tell costs some us each. A statement that calls another function has that one's time in it, too.
    """
    laps: dict[str, list[float]] = defaultdict(list)
    backend.query("BEGIN")
    try:
        for name in TIMED:
            ((source,),) = backend.query("SELECT pg_get_functiondef(%s::regprocedure)", name)
            backend.query(with_clocks(source, name.partition("(")[0].removeprefix("payments_")))
        for _ in range(repeats):
            for name, took in _one_list(backend, merchants, length):
                laps[name].append(took)
    finally:
        backend.query("ROLLBACK")
    return {name: statistics.median(values) for name, values in laps.items()}


def with_clocks(source: str, name: str) -> str:
    """The function with a notice of the time before and after each statement of its body."""
    head, begin, body = source.partition("\nBEGIN\n")
    lines: list[str] = []
    label, number = "", 0
    for text in body.splitlines():
        found = STATEMENT.match(text)
        if found and not label:
            number += 1
            label = f"{name} {number}: {' '.join(re.findall(r'[a-zA-Z_]+', found[1])[:3])}"
            lines.append(CLOCK.format(side="from", label=label))
        lines.append(text)
        if label and text.endswith(";"):
            lines.append(CLOCK.format(side="till", label=label))
            label = ""
    return head + begin + "\n".join(lines)


def _one_list(backend: Backend, merchants: range, length: int) -> list[tuple[str, float]]:
    items = new_list(length, merchants)
    backend.connection.notices.clear()
    backend.query(RESERVE, json.dumps(items), REFUSALS)
    backend.query("SELECT * FROM payments_confirm(%s)", json.dumps([settled(item) for item in items]))
    return list(_laps(backend.connection.notices))


def _laps(notices: Iterable[str]) -> Iterator[tuple[str, float]]:
    begun: dict[str, float] = {}
    for notice in notices:
        found = LAP.search(notice)
        if found and found[1] == "from":
            begun[found[2]] = float(found[3])
        elif found and found[2] in begun:
            yield found[2], float(found[3]) - begun[found[2]]
