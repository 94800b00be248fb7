"""Several connections at once, on one pool and on two: whether they wait for the pool's row or for processors."""

import dataclasses
import multiprocessing
import statistics
import time
from collections.abc import Sequence

from etebar_bench.capacity.backend import Backend, backend, connected
from etebar_bench.capacity.lists import new_list
from etebar_quickstart import Stack

SECOND = "secondpool"
ROUNDS = 3


@dataclasses.dataclass(frozen=True)
class Work:
    """What one connection does: lists of that length, of those merchants, for so long."""

    dsn: str
    merchants: range
    length: int
    seconds: float


def rates(stack: Stack, merchants: range, lengths: Sequence[int], seconds: float) -> dict[str, list[float]]:
    """Members reserved and confirmed per second, for each arrangement by length; medians of ROUNDS.

    A second pool is a copy of the whole database, made here; nobody else may be connected. Merchants differ between
    connections, so that only the pool's row is fought for.
    """
    with backend(stack, "postgres") as other:
        other.query(f"CREATE DATABASE {SECOND} TEMPLATE walletdb OWNER wallet")
    one, two = stack.dsn("postgres", "walletdb"), stack.dsn("postgres", SECOND)
    arrangements = {
        "1 connection": [one],
        "2 connections, one pool": [one] * 2,
        "4 connections, one pool": [one] * 4,
        "2 connections, two pools": [one, two],
    }
    found: dict[str, list[list[float]]] = {name: [[] for _ in lengths] for name in arrangements}
    for _ in range(ROUNDS):
        for place, length in enumerate(lengths):
            for name, dsns in arrangements.items():
                works = [Work(dsn, merchants[nth :: len(dsns)], length, seconds) for nth, dsn in enumerate(dsns)]
                found[name][place].append(_together(works) / seconds)
    return {name: [statistics.median(rounds) for rounds in by_length] for name, by_length in found.items()}


def _together(works: Sequence[Work]) -> int:
    with multiprocessing.get_context("spawn").Pool(len(works)) as processes:
        return sum(processes.map(_run, works, chunksize=1))


def _run(work: Work) -> int:
    with connected(work.dsn) as connection:
        return _members(Backend(connection), work)


def _members(wallet: Backend, work: Work) -> int:
    members, ends_at = 0, time.monotonic() + work.seconds
    while time.monotonic() < ends_at:
        items = new_list(work.length, work.merchants)
        wallet.reserve(items)
        wallet.confirm(items)
        members += work.length
    return members
