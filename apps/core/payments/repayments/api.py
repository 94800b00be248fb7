"""Repayments: recorded and taken back by staff, seen by the merchant."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.serializers import validated
from etebar_common.problems import (
    InsufficientPool,
    MerchantStateConflict,
    NotFound,
    RepaymentConflict,
    RepaymentExceedsDebt,
    RepaymentReversed,
)
from payments.audit.services import staff_actor
from payments.idempotency.act import answer_once
from payments.models import Repayment
from payments.repayments import services
from payments.repayments.representation import repayment_members
from payments.repayments.serializers import (
    RepaymentAnswerSerializer,
    RepaymentPageSerializer,
    RepaymentQuerySerializer,
    RepaymentSerializer,
    ReversalSerializer,
)
from payments.tokens.authentication import merchant_id_of
from payments.tokens.caller import STATEMENTS_READ
from payments.tokens.permissions import IsMerchant, IsStaff, MayRecordRepayments
from payments.withdrawals.serializers import PageQuerySerializer


def repayments_loaded() -> QuerySet[Repayment]:
    """Repayments with all that an answer shows."""
    return Repayment.objects.select_related("reversal")


def repayment_get(repayment_id: UUID) -> Repayment:
    """One repayment; raises NotFound."""
    found = repayments_loaded().filter(pk=repayment_id).first()
    if found is None:
        raise NotFound(f"there is no repayment {repayment_id}")
    return found


class StaffRepaymentsView(APIView):
    permission_classes = (MayRecordRepayments,)

    @describe(
        "Record a repayment",
        request=RepaymentSerializer,
        answers={201: RepaymentAnswerSerializer},
        problems=(404,),
        conflicts=(MerchantStateConflict, RepaymentConflict, RepaymentExceedsDebt, RepaymentReversed),
        key="optional",
        staff=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """Money of a merchant that came in: it lowers what is used and raises the pool. Once per reference."""
        by = staff_actor(request)

        def act(*, statement_line_id: int | None = None, **fields: Any) -> dict[str, Any]:
            if statement_line_id is not None:
                found = services.repayment_record_line(line_id=statement_line_id, by=by, **fields)
            else:
                found = services.repayment_record(by=by, **fields)
            return repayment_members(repayment_get(found.pk))

        return answer_once(request, RepaymentSerializer, act, status=201)

    @describe("List repayments", query=RepaymentQuerySerializer, answers={200: RepaymentPageSerializer}, staff=True)
    def get(self, request: Request) -> Response:
        """Repayments, newest first, of one merchant or of all."""
        query = validated(RepaymentQuerySerializer, request.query_params)
        found = repayments_loaded()
        if "merchant_id" in query:
            found = found.filter(merchant_id=query["merchant_id"])
        return Response(paginate(request, found, repayment_members, query=query))


class StaffRepaymentView(APIView):
    permission_classes = (IsStaff,)

    @describe("Get a repayment", answers={200: RepaymentAnswerSerializer}, problems=(404,), staff=True)
    def get(self, request: Request, repayment_id: UUID) -> Response:
        """One repayment."""
        return Response(repayment_members(repayment_get(repayment_id)))


class ReversalView(APIView):
    permission_classes = (MayRecordRepayments,)

    @describe(
        "Reverse a repayment",
        request=ReversalSerializer,
        answers={200: RepaymentAnswerSerializer},
        problems=(404,),
        conflicts=(InsufficientPool, RepaymentReversed),
        key="optional",
        staff=True,
    )
    def post(self, request: Request, repayment_id: UUID) -> HttpResponse:
        """Takes it back by a compensating entry, once. The merchant may then use more than the limit."""
        by = staff_actor(request)

        def act(*, reason: str) -> dict[str, Any]:
            services.repayment_reverse(repayment_id=repayment_id, reason=reason, by=by)
            return repayment_members(repayment_get(repayment_id))

        return answer_once(request, ReversalSerializer, act)


class RepaymentsView(APIView):
    permission_classes = (IsMerchant,)
    api_key_scope = STATEMENTS_READ

    @describe("List repayments", query=PageQuerySerializer, answers={200: RepaymentPageSerializer})
    def get(self, request: Request) -> Response:
        """The merchant's repayments, newest first."""
        query = validated(PageQuerySerializer, request.query_params)
        own = repayments_loaded().filter(merchant_id=merchant_id_of(request))
        return Response(paginate(request, own, repayment_members, query=query))
