"""Which processes a state directory has started, so that the next start can end what a killed one left behind.

A process is known by its id together with its start time and its executable: an id alone may have gone to a stranger.
"""

import contextlib
import dataclasses
import json
import os
import signal
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

START_TIME_TOLERANCE_SECONDS = 2.0  # the clock that it is computed from may have been corrected since
END_TIMEOUT_SECONDS = 5.0
DATABASES = ("postgres", "redis")


@dataclasses.dataclass(frozen=True)
class Started:
    """One process that we started; it leads a process group of the same number."""

    name: str
    pid: int
    start_time: float
    executable: str

    @classmethod
    def of(cls, name: str, pid: int) -> "Started":
        """The identity of a process that runs; raises psutil.NoSuchProcess when it has ended already."""
        process = psutil.Process(pid)
        return cls(name, pid, process.create_time(), process.exe())

    def processes(self) -> list[psutil.Process]:
        """What is left of it: the process itself and the members of its group, never a stranger."""
        leader = _process(self.pid)
        if leader is not None and not self._is(leader):
            return []  # the id was given away, so that the old group is gone too
        members = [process for process in psutil.process_iter() if _group(process) == self.pid]
        return [process for process in members if process == leader or self._is_child(process)]

    def leaders(self) -> list[psutil.Process]:
        """Whom to ask to end: the process itself, which then ends its children; they, when it is gone."""
        left = self.processes()
        return [process for process in left if process.pid == self.pid] or left

    def _is(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            same_start = abs(process.create_time() - self.start_time) < START_TIME_TOLERANCE_SECONDS
            return same_start and _executable(process) in {self.executable, None}
        return False

    def _is_child(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            later = process.create_time() > self.start_time - START_TIME_TOLERANCE_SECONDS
            return later and _executable(process) == self.executable
        return False


class ProcessRecord:
    """The file `processes.json` of a state directory; every change is on disk before the call returns."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "processes.json"
        self._changing = threading.Lock()

    def read(self) -> list[Started]:
        """The recorded processes; none when there is no readable record."""
        try:
            return [Started(**entry) for entry in json.loads(self._path.read_text())]
        except (FileNotFoundError, ValueError, TypeError):
            return []

    def add(self, started: Started) -> None:
        with self._changing:
            self._write([entry for entry in self.read() if entry.name != started.name] + [started])

    def remove(self, name: str) -> None:
        with self._changing:
            self._write(entry for entry in self.read() if entry.name != name)

    def end_leftovers(self) -> list[Started]:
        """Ends, by id, what still runs of the recorded processes; returns those that did."""
        alive = [started for started in self.read() if started.processes()]
        # Services before databases, so that they do not spend their last second on reconnecting.
        for chosen in (
            [started for started in alive if started.name not in DATABASES],
            [started for started in alive if started.name in DATABASES],
        ):
            end_all(process for started in chosen for process in started.leaders())
            end_all((process for started in chosen for process in started.processes()), timeout_seconds=0)
        self._path.unlink(missing_ok=True)
        return alive

    def _write(self, entries: Iterable[Started]) -> None:
        unfinished = self._path.with_suffix(".new")
        unfinished.write_text(json.dumps([dataclasses.asdict(entry) for entry in entries]))
        unfinished.replace(self._path)


def end_all(processes: Iterable[psutil.Process], timeout_seconds: float = END_TIMEOUT_SECONDS) -> None:
    """SIGTERM (for PostgreSQL SIGINT, the fast shutdown: SIGTERM would wait for its clients), then SIGKILL."""
    waiting = list(processes)
    for process in waiting:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, waiting = psutil.wait_procs(waiting, timeout=timeout_seconds)
    for process in waiting:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(waiting, timeout=END_TIMEOUT_SECONDS)


def wait_until_gone(processes: Iterable[psutil.Process], timeout_seconds: float) -> list[psutil.Process]:
    """Waits for processes that are ending by themselves; returns those that do not."""
    deadline = time.monotonic() + timeout_seconds
    waiting = list(processes)
    while waiting and time.monotonic() < deadline:
        time.sleep(0.05)
        waiting = [process for process in waiting if process.is_running()]
    return waiting


def _process(pid: int) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    return None


def _executable(process: psutil.Process) -> str | None:
    try:
        return process.exe().removesuffix(" (deleted)")  # as Linux writes it when the file was replaced since
    except psutil.AccessDenied:
        return None


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except OSError:
        return None
