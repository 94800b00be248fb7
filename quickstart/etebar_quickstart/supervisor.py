"""Notices a child that died and says so once, in one line, with the last lines of its log."""

import threading
from collections.abc import Callable, Iterable

from etebar_quickstart.process import ManagedProcess

CHECK_SECONDS = 0.2
OnDeath = Callable[[str, list[str]], None]


class Supervisor:
    """A thread that watches `processes()`; `on_death` gets the line and the log's last lines, from that thread."""

    def __init__(self, processes: Callable[[], Iterable[ManagedProcess]], on_death: OnDeath) -> None:
        self._processes = processes
        self._on_death = on_death
        self._told: set[int] = set()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._ending.wait(CHECK_SECONDS):
            self.check()

    def check(self) -> None:
        """Tells about each death that was not told yet."""
        for process in self._processes():
            if process.has_died and process.pid not in self._told:
                self._told.add(process.pid)
                line = f"{process.name} (pid {process.pid}) {process.how_it_ended()}, unasked; log: {process.log}"
                self._on_death(line, process.tail())
