"""Runs an act at most once per Idempotency-Key, in the act's own transaction.

Withdrawals do the same inside payments_reserve; this is for every other POST that changes something.
"""

import json
from collections.abc import Callable

from django.db import connection, transaction
from django.utils import timezone

from core import metrics
from etebar_common.problems import IdempotencyKeyReused, Problem, RequestInProgress
from payments.answers import Answer, problem_answer
from payments.idempotency.identity import RequestIdentity, differing_fields
from payments.models import IdempotencyKey

REFUSED_STATUS = 409
RETRY_AFTER = {"Retry-After": "1"}


def in_progress(key: str) -> RequestInProgress:
    """The answer while another transaction holds the key."""
    return RequestInProgress(f"a request with the key {key} has not ended yet", headers=RETRY_AFTER)


def reused(first: dict[str, str] | None, second: dict[str, str]) -> IdempotencyKeyReused:
    """The answer to another request under a used key, naming what differs; `first` is None while the first one runs."""
    if first is None:
        return IdempotencyKeyReused("a different request with this key is running", headers=RETRY_AFTER)
    names = differing_fields(first, second)
    return IdempotencyKeyReused(f"these differ: {', '.join(names)}", extensions={"differs": names})


def _take_key(identity: RequestIdentity) -> str | None:
    """Takes the key for the current transaction, or says who has it (payments_try_key). Never waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT payments_try_key(%s, %s, %s)", [identity.scope, identity.key, json.dumps(identity.digests)]
        )
        holder: str | None = cursor.fetchone()[0]
        return holder


@transaction.atomic(durable=True)
def run_once(identity: RequestIdentity | None, act: Callable[[], Answer]) -> Answer:
    """What `act` answers, or what it answered the first time.

    A refusal (409) is an answer and is stored; every other error leaves no trace and the next request runs.
    Raises RequestInProgress and IdempotencyKeyReused.
    """
    if identity is None:
        return act()
    holder = _take_key(identity)
    if holder == "in_progress":
        metrics.IDEMPOTENCY.labels("in_progress").inc()
        raise in_progress(identity.key)
    stored = IdempotencyKey.objects.filter(scope=identity.scope, key=identity.key).first()
    if stored is not None:
        return _replay(stored, identity)
    if holder is not None:
        metrics.IDEMPOTENCY.labels("reused").inc()
        raise reused(None, identity.digests)
    answer = _answer_of(act)
    IdempotencyKey.objects.create(
        scope=identity.scope,
        key=identity.key,
        method=identity.method,
        path=identity.path,
        request=identity.digests,
        status=answer.status,
        body=answer.body,
        created_at=timezone.now(),
    )
    return answer


def _replay(stored: IdempotencyKey, identity: RequestIdentity) -> Answer:
    is_same = stored.request == identity.digests
    metrics.IDEMPOTENCY.labels("replayed" if is_same else "reused").inc()
    if not is_same:
        raise reused(stored.request, identity.digests)
    # only withdrawals are stored without a final answer, and they have a path of their own
    assert stored.status is not None  # noqa: S101
    assert stored.body is not None  # noqa: S101
    return Answer(stored.status, stored.body, replayed=True)


def _answer_of(act: Callable[[], Answer]) -> Answer:
    try:
        with transaction.atomic():
            return act()
    except Problem as problem:
        if problem.status != REFUSED_STATUS:
            raise
        return problem_answer(problem)
