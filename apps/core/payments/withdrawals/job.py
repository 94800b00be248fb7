"""One withdrawal on its way through reserve, settle and confirm, and whoever waits for its answer."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from uuid_utils.compat import uuid7

from core.account_cipher import number_of
from core.environment import ENVIRONMENT
from core.request_context import RequestContext
from etebar_common import tracing
from etebar_common.problems import DatabaseUnavailable
from payments.answers import Answer
from payments.idempotency.identity import RequestIdentity
from payments.withdrawals.confirm import Confirmation
from payments.withdrawals.representation import pending_answer, pending_members
from payments.withdrawals.reserve import Reservation, ReserveRequest
from payments.withdrawals.settlement_client import PayoutOrder

if TYPE_CHECKING:
    from opentelemetry.trace import Span

logger = logging.getLogger(__name__)

# the dispatcher leaves a withdrawal alone while its own request is still at work on it
DISPATCH_MARGIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class WithdrawalCommand:
    """A validated request to withdraw; `respond_async` asks for 202 at once (RFC 7240).

    `log` are the members of the row that reserve opens in the request log; without them the request is logged whole.
    """

    merchant_id: int
    amount: Decimal
    identity: RequestIdentity
    context: RequestContext
    log: dict[str, Any] | None = None
    respond_async: bool = False

    @property
    def logged_context(self) -> RequestContext | None:
        """The context of the request, if its row in the request log is this withdrawal's."""
        return self.context if self.log is not None else None


@dataclass(frozen=True, slots=True)
class Final:
    """A withdrawal's final answer; `is_logged` when confirm completed the row in the request log as well."""

    answer: Answer
    is_logged: bool


class Job:
    """A command in the stages; whoever asked waits until the deadline, and may be gone by then.

    A thread waits with `wait`; an event loop is told by `notify`, on a thread of ours, and asks for `result`.
    `span` is the span of the request that it was made for, if there is one.
    """

    __slots__ = (
        "_done",
        "_notify",
        "_result",
        "command",
        "confirmation",
        "deadline",
        "members",
        "request",
        "reservation",
        "span",
    )

    def __init__(self, command: WithdrawalCommand, notify: Callable[[], None] | None = None) -> None:
        self.command = command
        self._notify = notify
        self.deadline = time.monotonic() + ENVIRONMENT.settle_deadline_seconds
        self.request = _reserve_request(command)
        self.span = tracing.current_span()
        self.reservation: Reservation | None = None
        self.members: dict[str, Any] = {}
        self.confirmation: Confirmation | None = None
        self._result: Reservation | Final | Answer | Exception | None = None
        self._done = threading.Lock()
        self._done.acquire()

    @property
    def size(self) -> int:
        return 1

    @property
    def withdrawal_id(self) -> UUID:
        return self.request.withdrawal_id

    @property
    def is_late(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return time.monotonic() > self.deadline

    def accept(self, reservation: Reservation) -> None:
        """Notes the reservation: from now on the answer is at least `pending`."""
        self.members = pending_members(self.withdrawal_id, self.command.amount, reservation.decided_at)
        self.reservation = reservation

    def order(self) -> PayoutOrder:
        """What settlement is to pay for an accepted job; raises Unreadable."""
        assert self.reservation is not None  # noqa: S101 - accepted ones have these
        assert self.reservation.account_id is not None  # noqa: S101
        return PayoutOrder(
            withdrawal_id=self.withdrawal_id,
            merchant_id=self.command.merchant_id,
            account_id=self.reservation.account_id,
            amount=self.command.amount,
            account=number_of(str(self.reservation.bank_account)),
            idempotency_key=self.command.identity.key,
        )

    def finish(self, result: Reservation | Final | Answer | Exception) -> None:
        """Tells the result; the first one told stays."""
        if self._result is None:
            self._result = result
            self._done.release()
            if self._notify is not None:
                self._notify()

    def leave_pending(self) -> None:
        """Ends an accepted job whose outcome is not known; the dispatcher goes on with it."""
        if self._result is None:
            logger.info(
                "withdrawal %s is left pending", self.withdrawal_id, extra=tracing.ids_of(self.request.trace_parent)
            )
        self.end_pending()

    def end_pending(self) -> None:
        """Ends an accepted job that nobody wants to wait for; the dispatcher goes on with it."""
        self.finish(pending_answer(self.members))

    def fail(self, error: Exception) -> None:
        """Ends the job by an error: pending if its funds are reserved, the error itself if that is not known."""
        if self.reservation is None:
            self.finish(error)
        else:
            self.leave_pending()

    def wait(self) -> None:
        """Returns when there is a result, or at the deadline."""
        if self._done.acquire(timeout=max(self.deadline - time.monotonic(), 0)):
            self._done.release()

    def result(self) -> Reservation | Final | Answer:
        """The result, or what is known without one.

        Raises the error that ended the job, and DatabaseUnavailable when nothing was decided.
        """
        if isinstance(self._result, Exception):
            raise self._result
        if self._result is not None:
            return self._result
        if self.reservation is not None:
            return pending_answer(self.members)
        raise undecided()


class AtomicJobs:
    """Jobs that are reserved all or not at all."""

    def __init__(self, commands: Sequence[WithdrawalCommand]) -> None:
        self.jobs = [Job(command) for command in commands]

    @property
    def size(self) -> int:
        return len(self.jobs)

    @property
    def span(self) -> "Span | None":
        """One request's, like the jobs."""
        return self.jobs[0].span

    @property
    def is_late(self) -> bool:
        return self.jobs[0].is_late

    def fail(self, error: Exception) -> None:
        for job in self.jobs:
            job.fail(error)

    def wait(self) -> bool:
        """Whether all have their funds once each has a result; raises as `Job.result`."""
        for job in self.jobs:
            job.wait()
        results = [job.result() for job in self.jobs]
        return all(not isinstance(result, Reservation) or result.is_withdrawal for result in results)


def undecided() -> DatabaseUnavailable:
    """The answer to a request of which is not known in time whether funds are reserved."""
    return DatabaseUnavailable(
        f"no decision is known after {ENVIRONMENT.settle_deadline_seconds:g} s; it may still be made:"
        " repeat the request with the same key",
        headers={"Retry-After": "2"},
    )


def _reserve_request(command: WithdrawalCommand) -> ReserveRequest:
    wait_seconds = 0.0 if command.respond_async else ENVIRONMENT.settle_deadline_seconds + DISPATCH_MARGIN_SECONDS
    return ReserveRequest(
        withdrawal_id=uuid7(),
        merchant_id=command.merchant_id,
        amount=command.amount,
        identity=command.identity,
        dispatch_after_seconds=wait_seconds,
        log=command.log or {},
        trace_parent=tracing.current_traceparent(),
    )
