"""Group commit: whatever waits when the previous list is done is the next list.

No timer adds latency: alone, a member is a list of one at once; under load, lists grow by themselves. The gate is the
number of workers: each works on one list at a time, so that few transactions fight for the hot row.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from django.db import InterfaceError, OperationalError, connection

from core import metrics
from etebar_common import tracing
from etebar_common.metrics import exemplar

if TYPE_CHECKING:
    from opentelemetry.trace import Span

logger = logging.getLogger(__name__)


class Member(Protocol):
    """What a stage works on; `size` is how many withdrawals it is, `span` the request's that they belong to."""

    @property
    def size(self) -> int: ...

    @property
    def span(self) -> "Span | None": ...

    def fail(self, error: Exception) -> None:
        """Tells whoever waits for the member that its outcome is not known; does nothing when that is told already."""


LOOK_SECONDS = 1.0
GATE_SECONDS = 0.02

M = TypeVar("M", bound=Member)


class Gate:
    """Lets few workers through at a time; who stays inside for long holds up the next one for GATE_SECONDS only."""

    def __init__(self, name: str, places: int) -> None:
        self._places = threading.Semaphore(places)
        self._waits = metrics.GATE_SECONDS.labels(name)

    def enter(self) -> Callable[[], None]:
        """Waits for a place; returns what gives it up, of which only the first call counts."""
        with self._waits.time():
            leaves = [self._places.release] if self._places.acquire(timeout=GATE_SECONDS) else []

        def leave() -> None:
            if leaves:
                leaves.pop()()

        return leave


class Stage(Generic[M]):
    """Workers that take what waits, in order of arrival and at most `largest_list` at once, and act on it as a list.

    Of the workers, `at_once` go through the gate at the same time. `act` gets the list and a function that gives up the
    place at the gate, for when nothing but waiting is left to do; else it is given up at the end.
    """

    def __init__(
        self,
        name: str,
        act: Callable[[Sequence[M], Callable[[], None]], None],
        *,
        workers: int,
        largest_list: int,
        at_once: int | None = None,
    ) -> None:
        self.name = name
        self._act = act
        self._largest_list = largest_list
        self._gate = Gate(name, at_once or workers)
        self._waiting: deque[tuple[float, M]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, members: Sequence[M]) -> None:
        """Queues members in their order; never waits."""
        now = time.monotonic()
        with self._changed:
            self._waiting.extend((now, member) for member in members)
            self._changed.notify()

    def put_back(self, members: Sequence[M]) -> None:
        """Queues members again, before all others and in their order."""
        now = time.monotonic()
        with self._changed:
            self._waiting.extendleft((now, member) for member in reversed(members))
            self._changed.notify()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Works off what waits, within the timeout, and ends the workers and their connections."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _run(self) -> None:
        looked_at = time.monotonic()
        while self._wait():
            leave_gate = self._gate.enter()
            try:
                if members := self._take():
                    looked_at = self._look_at_connection(looked_at)
                    self._work_on(members, leave_gate)
            finally:
                leave_gate()
        connection.close()

    @staticmethod
    def _look_at_connection(looked_at: float) -> float:
        """Asks the database whether it is still there: not before each list, but after a pause or an error."""
        now = time.monotonic()
        if not connection.errors_occurred and now - looked_at < LOOK_SECONDS:
            return looked_at
        try:
            connection.close_if_unusable_or_obsolete()
        except Exception:
            logger.exception("the connection could not be closed")
        return now

    def _work_on(self, members: Sequence[M], leave_gate: Callable[[], None]) -> None:
        with tracing.list_span(self.name, (member.span for member in members)) as span:
            if span is not None:
                span.set_attribute("etebar.members", sum(member.size for member in members))
            self._act_on(members, leave_gate)

    def _act_on(self, members: Sequence[M], leave_gate: Callable[[], None]) -> None:
        started = time.monotonic()
        try:
            self._act(members, leave_gate)
        except (OperationalError, InterfaceError) as error:
            logger.warning("%s: the database is away: %s", self.name, str(error).strip())
            self._fail(members, error)
        except Exception as error:
            logger.exception("%s: a list of %d could not be worked on", self.name, len(members))
            self._fail(members, error)
        finally:
            metrics.LIST_SECONDS.labels(self.name).observe(time.monotonic() - started, exemplar())

    @staticmethod
    def _fail(members: Sequence[M], error: Exception) -> None:
        tracing.failed(error)
        for member in members:
            try:
                member.fail(error)
            except Exception:
                # the others are to be told all the same, and the worker goes on
                logger.exception("a member could not be told that it failed")

    def _wait(self) -> bool:
        """Returns when something waits; False when the stage is closed and nothing does any more."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            return bool(self._waiting)

    def _take(self) -> list[M]:
        """The next list; empty when another worker was faster."""
        with self._changed:
            taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._largest_list))]
            if self._waiting:
                # another worker may be free for what is left
                self._changed.notify()
        if taken:
            self._measure(taken)
        return [member for _, member in taken]

    def _measure(self, taken: Sequence[tuple[float, M]]) -> None:
        now = time.monotonic()
        metrics.LIST_MEMBERS.labels(self.name).observe(sum(member.size for _, member in taken))
        waits = metrics.WAIT_SECONDS.labels(self.name)
        for arrived, _ in taken:
            waits.observe(now - arrived)
