"""Paying a list: read in one step, answered whole by the deadline or line by line as its members become known."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from fastapi import Request, Response
from pydantic import ValidationError

from settlement.api.answers import LINES, Json, Lines, result_object
from settlement.api.guard import MAXIMUM_BODY_BYTES, GuardedRoute, Handler
from settlement.api.models import BatchRequest
from settlement.api.orders import FAULT_HEADER, fault_of, orders_of
from settlement.payouts.records import PayoutOrder
from settlement.payouts.service import Answer
from settlement.payouts.store import Payouts
from settlement.services import services_of


class BatchRoute(GuardedRoute):
    """Reads a body that is right from its bytes at once; what is wrong with any other is FastAPI's to find out."""

    maximum_body_bytes = 4 * MAXIMUM_BODY_BYTES

    def unguarded(self) -> Handler:
        slowly = super().unguarded()

        async def handle(request: Request) -> Response:
            try:
                body = BatchRequest.model_validate_json(await request.body())
            except ValidationError:
                return await slowly(request)
            return await pay_batch(body, request)

        return handle


async def pay_batch(body: BatchRequest, request: Request) -> Response:
    """The answer to a batch, in the media type that the request accepts."""
    running = services_of(request)
    fault = fault_of(request.headers.get(FAULT_HEADER), running.settings)
    orders = orders_of(body.withdrawals, running.settings, fault)
    request.state.withdrawal_count = len(orders)
    deadline_seconds = body.deadline_ms / 1000
    if _accepts_lines(request):
        groups = await running.payouts.begin(orders, deadline_seconds=deadline_seconds)
        members = _different(orders)
        return Lines(_answered(members, groups), sum(map(len, members.values())))
    answers = await running.payouts.pay(orders, deadline_seconds=deadline_seconds)
    return Json({"results": [result_object(answer) for answer in answers]})


def _accepts_lines(request: Request) -> bool:
    accepted = request.headers.get("Accept", "").lower().split(",")
    return any(each.partition(";")[0].strip() == LINES for each in accepted)


def _different(orders: Sequence[PayoutOrder]) -> Mapping[UUID, Sequence[PayoutOrder]]:
    """The orders of each id: one, unless the list has the id with different content."""
    members: defaultdict[UUID, list[PayoutOrder]] = defaultdict(list)
    for order in orders:
        if order not in (same := members[order.withdrawal_id]):
            same.append(order)
    return members


async def _answered(
    members: Mapping[UUID, Sequence[PayoutOrder]], groups: AsyncIterator[Payouts]
) -> AsyncIterator[list[Answer]]:
    async for payouts in groups:
        yield [Answer.of(order, payout) for each, payout in payouts.items() for order in members[each]]
