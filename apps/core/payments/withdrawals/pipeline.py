"""Reserve, settle and confirm as three stages that combine what waits (docs/adr/0013).

A job goes from stage to stage without its caller, who is woken once: when the answer is known, or at its deadline.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import InterfaceError, OperationalError

from core import metrics
from core.cipher import Unreadable
from core.environment import ENVIRONMENT
from core.per_process import PerProcess
from etebar_common import logs
from etebar_common.crash import CrashPoint, crash_point
from etebar_common.problems import NotReady
from payments.answers import Answer
from payments.withdrawals.confirm import Confirmed, confirm_what_can_be
from payments.withdrawals.job import AtomicJobs, Final, Job, undecided
from payments.withdrawals.outcomes import confirmation_of
from payments.withdrawals.representation import location, refusal_bodies
from payments.withdrawals.reserve import ACCEPTED, BUSY, DUPLICATE, Reservation, ReserveRequest, reserve, reserve_all
from payments.withdrawals.settlement_client import PayoutOrder, SettleResult, settlement_client
from payments.withdrawals.stage import Stage

logger = logging.getLogger(__name__)

# a member costs hardly less in a longer list, and while one list settles the next one is reserved
LARGEST_LIST = 250
# before a list is tried again of which nothing could be decided
BUSY_SECONDS = 0.005

IDEMPOTENCY_RESULTS = {"replay": "replayed", "reused": "reused", "in_progress": "in_progress"}

Reserved = Reservation | Exception


class Pipeline:
    """This process's stages. `put` a job and wait for it; several processes share nothing but the database."""

    def __init__(self) -> None:
        self._reserve: Stage[Job | AtomicJobs] = Stage(
            "reserve", self._reserve_list, workers=ENVIRONMENT.reserve_connections, largest_list=LARGEST_LIST
        )
        # one worker for each batch in flight, but one gate: the next one is sent when the first members are answered
        self._settle: Stage[Job] = Stage(
            "settle",
            self._settle_list,
            workers=ENVIRONMENT.settlement_connections,
            largest_list=LARGEST_LIST,
            at_once=1,
        )
        self._confirm: Stage[Job] = Stage(
            "confirm", self._confirm_list, workers=ENVIRONMENT.confirm_connections, largest_list=LARGEST_LIST
        )

    def put(self, members: Sequence[Job | AtomicJobs]) -> None:
        """Takes jobs in their order; never waits."""
        self._reserve.put(members)

    def close(self) -> None:
        """Works off what is in the stages and closes their connections."""
        for stage in (self._reserve, self._settle, self._confirm):
            stage.close()

    def _reserve_list(self, members: Sequence[Job | AtomicJobs], _leave_gate: Callable[[], None]) -> None:
        waiting: list[Job] = []
        busy: list[Job | AtomicJobs] = []
        for member in members:
            if member.is_late:
                member.fail(undecided())
            elif isinstance(member, Job):
                waiting.append(member)
            else:
                # all of it or nothing is a transaction of its own, after those that came before
                busy += self._reserve_each(waiting)
                waiting = []
                busy += self._reserve_group(member)
        busy += self._reserve_each(waiting)
        if busy:
            if len(busy) == len(members):
                time.sleep(BUSY_SECONDS)
            self._reserve.put_back(busy)

    def _reserve_each(self, jobs: Sequence[Job]) -> list[Job]:
        """Decides each job for itself, all in one transaction; returns those whose merchant somebody else is at."""
        busy: list[Job] = []
        while jobs:
            results = reserve_what_can_be([job.request for job in jobs])
            self._reserved(jobs, results)
            undecided_ones = [(job, _outcome(result)) for job, result in zip(jobs, results, strict=True)]
            busy += [job for job, outcome in undecided_ones if outcome == BUSY]
            # a key that was twice in the list is decided after the first one's commit, when it is a replay
            jobs = [job for job, outcome in undecided_ones if outcome == DUPLICATE]
        return busy

    def _reserve_group(self, group: AtomicJobs) -> list[AtomicJobs]:
        """Decides the jobs of a group together; returns the group when somebody else is at a merchant of it."""
        try:
            results = reserve_all([job.request for job in group.jobs])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this group's alone
            logger.warning("%d withdrawals were not reserved together: %r", group.size, error)
            group.fail(error)
            return []
        if any(result.outcome == BUSY for result in results):
            return [group]
        self._reserved(group.jobs, results)
        return []

    def _reserved(self, jobs: Sequence[Job], results: Sequence[Reserved]) -> None:
        crash_point(CrashPoint.AFTER_RESERVE_COMMIT)
        _count_reserved(jobs, results)
        to_settle = [job for job, result in zip(jobs, results, strict=True) if _is_to_settle(job, result)]
        if to_settle:
            self._settle.put(to_settle)

    def _settle_list(self, members: Sequence[Job], leave_gate: Callable[[], None]) -> None:
        jobs = {job.withdrawal_id: job for job in members if not job.is_late}
        for job in members:
            if job.withdrawal_id not in jobs:
                job.leave_pending()
        if not jobs:
            return
        crash_point(CrashPoint.BEFORE_SETTLE)
        logs.request_id.set(_request_id(list(jobs.values())))
        orders = _orders(jobs)
        if not orders:
            return
        for results in settlement_client().settle_each(orders, deadline_seconds=ENVIRONMENT.settle_deadline_seconds):
            leave_gate()
            self._settled(jobs, results)

    def _settled(self, jobs: Mapping[UUID, Job], results: Mapping[UUID, SettleResult]) -> None:
        _count("settle", (result.outcome for result in results.values()))
        to_confirm = []
        for withdrawal_id, result in results.items():
            job = jobs[withdrawal_id]
            job.confirmation = confirmation_of(job.members, result, job.command.logged_context)
            if job.confirmation is None:
                job.leave_pending()
            else:
                to_confirm.append(job)
        if to_confirm:
            self._confirm.put(to_confirm)

    def _confirm_list(self, jobs: Sequence[Job], _leave_gate: Callable[[], None]) -> None:
        crash_point(CrashPoint.BEFORE_CONFIRM)
        confirmed = confirm_what_can_be([job.confirmation for job in jobs if job.confirmation])
        crash_point(CrashPoint.AFTER_CONFIRM)
        _count("confirm", (end.state if end else "left_pending" for end in confirmed.values()))
        for job in jobs:
            _finish(job, confirmed)


def _orders(jobs: Mapping[UUID, Job]) -> list[PayoutOrder]:
    """What settlement is to pay; who has an account number that cannot be read is left pending, and holds up nobody."""
    orders = []
    for withdrawal_id, job in jobs.items():
        try:
            orders.append(job.order())
        except Unreadable as error:
            logger.error("withdrawal %s cannot be paid yet: %s", withdrawal_id, error)  # noqa: TRY400 - it says it all
            job.leave_pending()
    return orders


def reserve_what_can_be(requests: Sequence[ReserveRequest]) -> list[Reserved]:
    """Like `reserve`; a request that the database does not take has its error and does not spoil the others.

    When the database is away all have the error: whether they were decided is not known, and each may be repeated.
    """
    try:
        return list(reserve(requests))
    except (OperationalError, InterfaceError) as error:
        logger.warning("%d withdrawals were not reserved: %s", len(requests), str(error).strip())
        return [error] * len(requests)
    except Exception as error:
        if len(requests) == 1:
            logger.exception("a withdrawal cannot be reserved")
            return [error]
    return [result for request in requests for result in reserve_what_can_be([request])]


def _is_to_settle(job: Job, result: Reserved) -> bool:
    """Tells a job what reserve made of it, unless it goes on to settlement."""
    match result:
        case Exception():
            job.fail(result)
        case Reservation(outcome="accepted"):
            job.accept(result)
            if not job.command.respond_async:
                return True
            job.end_pending()
        case Reservation(outcome="duplicate" | "busy"):
            pass
        case _:
            job.finish(result)
    return False


def _finish(job: Job, confirmed: Mapping[str, Confirmed | None]) -> None:
    if job.members["id"] not in confirmed:
        job.finish(NotReady("the sandbox was cleared meanwhile; repeat the request", headers={"Retry-After": "1"}))
        return
    end = confirmed[job.members["id"]]
    if end is None:
        job.leave_pending()
    else:
        answer = Answer(end.status, end.body, location(job.withdrawal_id))
        job.finish(Final(answer, is_logged=end.changed and job.command.log is not None))


def _request_id(jobs: Sequence[Job]) -> str:
    """Whose request settlement is asked for; of a list, the first one's and how many came with it."""
    first = jobs[0].command.context.request_id
    return first if len(jobs) == 1 else f"{first[:100]}.and.{len(jobs) - 1}"


def _outcome(result: Reserved) -> str:
    return "error" if isinstance(result, Exception) else result.outcome


def _count_reserved(jobs: Sequence[Job], results: Sequence[Reserved]) -> None:
    outcomes = Counter(_outcome(result) for result in results)
    _count("reserve", outcomes.elements())
    for outcome, count in outcomes.items():
        if outcome in IDEMPOTENCY_RESULTS:
            metrics.IDEMPOTENCY.labels(IDEMPOTENCY_RESULTS[outcome]).inc(count)
        elif outcome in refusal_bodies():
            metrics.WITHDRAWALS.labels("refused", outcome).inc(count)
        elif outcome == ACCEPTED:
            metrics.WITHDRAWALS.labels(ACCEPTED, "").inc(count)
    amounts = (job.command.amount for job, result in zip(jobs, results, strict=True) if _outcome(result) == ACCEPTED)
    metrics.WITHDRAWN.labels(ACCEPTED).inc(float(sum(amounts)))


def _count(stage: str, outcomes: Iterable[str]) -> None:
    for outcome, count in Counter(outcomes).items():
        metrics.OUTCOMES.labels(stage, outcome).inc(count)


pipeline = PerProcess(Pipeline)
