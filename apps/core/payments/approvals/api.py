"""/api/v1/admin/approvals: what takes two people."""

from collections.abc import Callable
from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.serializers import validated
from payments.approvals import services
from payments.approvals.representation import approval_members
from payments.approvals.serializers import (
    ApprovalDecisionSerializer,
    ApprovalPageSerializer,
    ApprovalQuerySerializer,
    ApprovalSerializer,
)
from payments.audit.services import staff_actor
from payments.idempotency.act import answer_once
from payments.models import ApprovalRequest
from payments.tokens.permissions import IsStaff


class ApprovalsView(APIView):
    permission_classes = (IsStaff,)

    @describe(
        "List approval requests", query=ApprovalQuerySerializer, answers={200: ApprovalPageSerializer}, staff=True
    )
    def get(self, request: Request) -> Response:
        """Limits above the threshold that were asked for, newest first, by state."""
        query = validated(ApprovalQuerySerializer, request.query_params)
        found = ApprovalRequest.objects.all()
        if "state" in query:
            found = found.filter(state=query["state"])
        return Response(paginate(request, found, approval_members, query=query))


def decision(summary: str, description: str, service: Callable[..., ApprovalRequest]) -> type[APIView]:
    """A view by which staff POST their decision, and get the request as it is after it."""

    class DecisionView(APIView):
        permission_classes = (IsStaff,)

        @describe(
            summary,
            description=description,
            request=ApprovalDecisionSerializer,
            answers={200: ApprovalSerializer},
            problems=(404, 409),
            key="optional",
            staff=True,
        )
        def post(self, request: Request) -> HttpResponse:
            decide = partial(service, by=staff_actor(request))
            return answer_once(request, ApprovalDecisionSerializer, lambda **fields: approval_members(decide(**fields)))

    return DecisionView


ApproveRequestView = decision(
    "Approve a request",
    "Sets the limit that was asked for. Whoever asked may not decide.",
    services.approval_approve,
)
RefuseRequestView = decision(
    "Refuse a request",
    "Leaves the limit as it is. Whoever asked may not decide.",
    services.approval_refuse,
)
