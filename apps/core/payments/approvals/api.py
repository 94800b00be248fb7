"""/api/v1/admin/approvals, and what asks for one: what takes two people."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.serializers import validated
from etebar_common.problems import (
    ApprovalDecided,
    InsufficientPool,
    MerchantStateConflict,
    NoDifference,
    SecondPersonNeeded,
    WithdrawalStateConflict,
)
from payments.approvals import services
from payments.approvals.adjustments import adjustment_ask
from payments.approvals.outcomes import outcome_ask
from payments.approvals.representation import approval_members
from payments.approvals.serializers import (
    ApprovalDecisionSerializer,
    ApprovalPageSerializer,
    ApprovalQuerySerializer,
    ApprovalSerializer,
    OutcomeSerializer,
)
from payments.audit.services import staff_actor
from payments.idempotency.act import answer_once
from payments.models import ApprovalRequest
from payments.pool.serializers import AdjustmentSerializer
from payments.tokens.permissions import IsStaff, MayAsk, MayDecide

# of a decision, and of what an approved request brings about
DECISION_CONFLICTS = (
    ApprovalDecided,
    InsufficientPool,
    MerchantStateConflict,
    NoDifference,
    SecondPersonNeeded,
    WithdrawalStateConflict,
)


class ApprovalsView(APIView):
    permission_classes = (IsStaff,)

    @describe(
        "List approval requests", query=ApprovalQuerySerializer, answers={200: ApprovalPageSerializer}, staff=True
    )
    def get(self, request: Request) -> Response:
        """What was asked for, newest first, by state and kind."""
        query = validated(ApprovalQuerySerializer, request.query_params)
        filters = {name: query[name] for name in ("state", "kind") if name in query}
        found = ApprovalRequest.objects.select_related("withdrawal", "decision").filter(**filters)
        return Response(paginate(request, found, approval_members, query=query))


class AdjustmentsView(APIView):
    permission_classes = (MayAsk,)

    @describe(
        "Ask to adjust the pool",
        request=AdjustmentSerializer,
        answers={202: ApprovalSerializer},
        key="optional",
        staff=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """A correction of the pool, with its reason. Nothing changes before somebody else approves it."""
        ask = partial(adjustment_ask, by=staff_actor(request))
        return answer_once(request, AdjustmentSerializer, lambda **fields: approval_members(ask(**fields)), status=202)


class OutcomeView(APIView):
    permission_classes = (MayAsk,)

    @describe(
        "Ask to end a withdrawal",
        request=OutcomeSerializer,
        answers={202: ApprovalSerializer},
        problems=(404,),
        conflicts=(WithdrawalStateConflict,),
        key="optional",
        staff=True,
    )
    def post(self, request: Request, withdrawal_id: UUID) -> HttpResponse:
        """A pending withdrawal that is flagged, with evidence of its outcome. Nothing changes before somebody else
        approves it; then the dispatcher carries it out.
        """
        ask = partial(outcome_ask, withdrawal_id=withdrawal_id, by=staff_actor(request))
        return answer_once(request, OutcomeSerializer, lambda **fields: approval_members(ask(**fields)), status=202)


def decision(summary: str, description: str, service: Callable[..., ApprovalRequest]) -> type[APIView]:
    """A view by which staff POST their decision, and get the request as it is after it."""

    class DecisionView(APIView):
        permission_classes = (MayDecide,)

        @describe(
            summary,
            description=description,
            request=ApprovalDecisionSerializer,
            answers={200: ApprovalSerializer},
            problems=(404,),
            conflicts=DECISION_CONFLICTS,
            key="optional",
            staff=True,
        )
        def post(self, request: Request) -> HttpResponse:
            decide = partial(service, by=staff_actor(request))
            return answer_once(request, ApprovalDecisionSerializer, lambda **fields: approval_members(decide(**fields)))

    return DecisionView


ApproveRequestView = decision(
    "Approve a request",
    "Brings about what was asked for. Whoever asked may not decide.",
    services.approval_approve,
)
RefuseRequestView = decision(
    "Refuse a request",
    "Leaves all as it is. Whoever asked may not decide.",
    services.approval_refuse,
)
