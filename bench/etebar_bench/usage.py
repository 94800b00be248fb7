"""CPU and memory of each group of processes: core, settlement, PostgreSQL, Redis."""

import contextlib
from collections.abc import Mapping

import psutil

from etebar_quickstart import Stack

GROUPS = ("core", "settlement", "postgres", "redis")


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """What each group has used since it was started, processes that it has waited for included."""
    return {name: sum(_cpu_seconds(process) for process in _group(stack, name)) for name in GROUPS}


def used_since(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    return {name: now[name] - before[name] for name in before}


def memory(stack: Stack) -> dict[str, int | str]:
    """Bytes of each group, and what they are.

    `pss` counts a page that n processes share as an n-th for each; `rss`, where a system tells no pss, as one.
    """
    try:
        return {"measure": "pss", **{name: sum(_pss(process) for process in _group(stack, name)) for name in GROUPS}}
    except (psutil.AccessDenied, AttributeError):
        return {"measure": "rss", **{name: sum(_rss(process) for process in _group(stack, name)) for name in GROUPS}}


def _group(stack: Stack, name: str) -> list[psutil.Process]:
    parent = psutil.Process(stack.process(name).pid)
    return [parent, *parent.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    # A backend may end while we count: its time is then its parent's.
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _pss(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return int(process.memory_full_info().pss)
    return 0


def _rss(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0
