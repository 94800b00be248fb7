"""The endpoints. They translate; what happens is in settlement/payouts."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, Security
from fastapi.security import APIKeyHeader

from etebar_common.problems import (
    BodyTooLarge,
    CursorInvalid,
    DatabaseUnavailable,
    InternalError,
    InternalTokenMissing,
    InternalTokenWrong,
    MalformedRequest,
    NotFound,
    NotReady,
    PayoutConflict,
    Problem,
    RequestTooSlow,
    UnsupportedMediaType,
    ValidationFailed,
)
from settlement.api.answers import LINES, Json, payout_object
from settlement.api.batch import BatchRoute, pay_batch
from settlement.api.guard import TOKEN_HEADER, GuardedRoute, refuse_repeated_parameters
from settlement.api.models import (
    BatchAnswer,
    BatchRequest,
    Cleared,
    Health,
    LookupRequest,
    OutcomeRequest,
    PayoutBody,
    PayoutList,
    PayoutPage,
    WindowQuery,
    WithdrawRequest,
)
from settlement.api.openapi import LINES_SCHEMA, problem_responses
from settlement.api.orders import FaultHeader, decision_of, fault_of, order_of
from settlement.payouts import cursor
from settlement.payouts.store import Window
from settlement.services import Services, services

PREFIX = "/api/settlement"
Running = Annotated[Services, Depends(services)]

ALWAYS: tuple[type[Problem], ...] = (InternalTokenMissing, InternalTokenWrong, InternalError, DatabaseUnavailable)
WITH_BODY = (*ALWAYS, MalformedRequest, RequestTooSlow, BodyTooLarge, UnsupportedMediaType, ValidationFailed)


def _guarded(route_class: type[GuardedRoute]) -> APIRouter:
    # The route class does the checking; the dependency only tells the document of the header.
    documented = Security(APIKeyHeader(name=TOKEN_HEADER, scheme_name="InternalToken", auto_error=False))
    return APIRouter(prefix=PREFIX, route_class=route_class, dependencies=[documented])


router = _guarded(GuardedRoute)
batch_router = _guarded(BatchRoute)
sandbox_router = _guarded(GuardedRoute)
probes = APIRouter()


@router.post(
    "/withdraw",
    response_model=PayoutBody,
    responses=problem_responses(*WITH_BODY, PayoutConflict, NotReady)
    | {202: {"model": PayoutBody, "description": "Recorded; the outcome is not known yet. Repeat to learn it."}},
)
async def withdraw(body: WithdrawRequest, request: Request, running: Running, fault: FaultHeader = None) -> Response:
    """Pay a merchant's account, once per withdrawal id."""
    order = order_of(body, running.settings, fault_of(fault, running.settings))
    request.state.withdrawal_id, request.state.withdrawal_count = order.withdrawal_id, 1
    [answer] = await running.payouts.pay([order], deadline_seconds=running.settings.withdraw_deadline_ms / 1000)
    if answer.differs:
        raise PayoutConflict(extensions={"differs": list(answer.differs)})
    return Json(payout_object(answer.payout), 200 if answer.payout.is_decided else 202)


@batch_router.post(
    "/withdraw/batch",
    response_model=BatchAnswer,
    responses=problem_responses(*WITH_BODY, NotReady) | {200: {"content": {LINES: {"schema": LINES_SCHEMA}}}},
)
async def withdraw_batch(body: BatchRequest, request: Request) -> Response:
    """Pay a list. Each member has its own answer, in the request's order; what is slow is answered as pending.

    With `Accept: application/x-ndjson` each member is answered as soon as it is known, by a line of its own.
    """
    return await pay_batch(body, request)


@router.post("/payouts/lookup", response_model=PayoutList, responses=problem_responses(*WITH_BODY))
async def lookup(body: LookupRequest, request: Request, running: Running) -> Response:
    """Those of the listed payouts that exist, in the request's order, each once."""
    wanted = list(dict.fromkeys(body.withdrawal_ids))
    request.state.withdrawal_count = len(wanted)
    found = await running.store.find(wanted)
    return Json({"payouts": [payout_object(found[each]) for each in wanted if each in found]})


@router.post(
    "/payouts/{withdrawal_id:uuid}/outcome",
    response_model=PayoutBody,
    responses=problem_responses(*WITH_BODY, NotFound, PayoutConflict)
    | {202: {"model": PayoutBody, "description": "The rail is being asked about it at this moment. Repeat later."}},
)
async def outcome(withdrawal_id: UUID, body: OutcomeRequest, request: Request, running: Running) -> Response:
    """Conclude a payout as people decided it. One that is decided already stays as it is, and is the answer.

    The rail is not called. One that was never ordered is recorded as decided, so that no later order pays it.
    """
    request.state.withdrawal_id, request.state.withdrawal_count = withdrawal_id, 1
    answer = await running.payouts.decide(decision_of(withdrawal_id, body))
    if answer.differs:
        raise PayoutConflict(extensions={"differs": list(answer.differs)})
    return Json(payout_object(answer.payout), 200 if answer.payout.is_decided else 202)


@router.get("/payouts/{withdrawal_id:uuid}", response_model=PayoutBody, responses=problem_responses(*ALWAYS, NotFound))
async def payout(withdrawal_id: UUID, request: Request, running: Running) -> Response:
    """One payout, as recorded."""
    request.state.withdrawal_id, request.state.withdrawal_count = withdrawal_id, 1
    found = await running.store.find([withdrawal_id])
    if withdrawal_id not in found:
        raise NotFound("no payout has this withdrawal id")
    return Json(payout_object(found[withdrawal_id]))


@router.get(
    "/payouts",
    response_model=PayoutPage,
    responses=problem_responses(*ALWAYS, CursorInvalid, ValidationFailed),
    dependencies=[Depends(refuse_repeated_parameters)],
)
async def payouts(query: Annotated[WindowQuery, Query()], running: Running) -> Response:
    """Payouts by time of creation, a page at a time."""
    after = None if query.cursor is None else cursor.decode(query.cursor)
    window = Window(query.created_from, query.created_to, query.state, after, query.limit)
    found = await running.store.window(window)
    next_cursor = cursor.encode(found[-1]) if len(found) == query.limit else None
    return Json({"payouts": [payout_object(each) for each in found], "next_cursor": next_cursor})


@sandbox_router.post("/sandbox/clear", responses=problem_responses(*ALWAYS))
async def clear(running: Running) -> Cleared:
    """Forget every payout and the sandbox bank's books. Exists in the sandbox and test profiles only."""
    return Cleared(payouts_cleared=await running.store.clear())


@probes.get("/healthz")
async def healthz() -> Health:
    """The process runs."""
    return Health()


@probes.get("/readyz", responses=problem_responses(NotReady, InternalError))
async def readyz(running: Running) -> Health:
    """Callers may be sent here: since the start, which needs a migrated database, until it is about to end.

    A lost database is not asked for: every process would lose it at once, and somebody has to answer 503.
    """
    if running.settings.is_draining:
        raise NotReady("this process is about to end")
    return Health()
