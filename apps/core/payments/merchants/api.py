"""Registration, the merchant's own page, and what staff decide about merchants."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.http import HttpResponse
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.rate_limits import RegisterRateLimit
from core.serializers import StrictSerializer, validated
from etebar_common.problems import MerchantStateConflict, UsernameTaken
from payments.approvals.representation import approval_members
from payments.approvals.services import LimitService, limit_set
from payments.audit.services import Actor, staff_actor
from payments.idempotency.act import answer_once
from payments.merchants import services
from payments.merchants.representation import merchant_members
from payments.merchants.selectors import merchant_get, merchants_filtered
from payments.merchants.serializers import (
    CreditLimitSerializer,
    MerchantDecisionSerializer,
    MerchantLimitSerializer,
    MerchantPageSerializer,
    MerchantQuerySerializer,
    MerchantReferenceSerializer,
    MerchantSerializer,
    RegisterSerializer,
)
from payments.models import Merchant
from payments.tokens.authentication import merchant_id_of
from payments.tokens.caller import WITHDRAWALS_READ
from payments.tokens.permissions import IsStaff, MayDecideMerchants


def shown(service: Callable[..., Merchant]) -> Callable[..., dict[str, Any]]:
    """The service, answering with the merchant's members as they are after it."""
    return lambda **fields: merchant_members(merchant_get(service(**fields).pk))


class RegisterView(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_classes = (RegisterRateLimit,)

    @describe(
        "Register",
        request=RegisterSerializer,
        answers={201: MerchantSerializer},
        conflicts=(UsernameTaken,),
        key="optional",
        public=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """A new merchant, which staff then approve or refuse."""
        return answer_once(
            request,
            RegisterSerializer,
            shown(services.merchant_register),
            status=201,
            scope=lambda fields: f"register:{fields['username']}",
        )


class MeView(APIView):
    permission_classes = (IsAuthenticated,)
    api_key_scope = WITHDRAWALS_READ

    @describe("Who am I", answers={200: MerchantSerializer})
    def get(self, request: Request) -> Response:
        """The merchant behind the token: state, limit, what is used and what is available."""
        return Response(merchant_members(merchant_get(merchant_id_of(request))))


class MerchantsView(APIView):
    permission_classes = (IsStaff,)

    @describe("List merchants", query=MerchantQuerySerializer, answers={200: MerchantPageSerializer}, staff=True)
    def get(self, request: Request) -> Response:
        """Merchants, newest first, by state."""
        query = validated(MerchantQuerySerializer, request.query_params)
        merchants = merchants_filtered(state=query.get("state"), username=query.get("username"))
        return Response(paginate(request, merchants, merchant_members, query=query))


class MerchantView(APIView):
    permission_classes = (IsStaff,)

    @describe("Get a merchant", answers={200: MerchantSerializer}, problems=(404,), staff=True)
    def get(self, request: Request, merchant_id: int) -> Response:
        """One merchant."""
        return Response(merchant_members(merchant_get(merchant_id)))


def limit_decided(service: LimitService) -> Callable[..., dict[str, Any]]:
    """The service, or a request for a second person; answers with the merchant's members and that request."""

    def decide(*, merchant_id: int, by: Actor, **fields: Any) -> dict[str, Any]:
        asked = limit_set(service, merchant_id=merchant_id, by=by, **fields)
        request = approval_members(asked) if asked else None
        return {**merchant_members(merchant_get(merchant_id)), "approval_request": request}

    return decide


def status_of(members: dict[str, Any]) -> int:
    """202 for what waits for a second person."""
    return 202 if members.get("approval_request") else 200


def staff_decision(
    summary: str,
    description: str,
    fields: type[StrictSerializer],
    act: Callable[..., dict[str, Any]],
    answers: Mapping[int, Any] | None = None,
) -> type[APIView]:
    """A view by which staff POST one decision about a merchant, and get the merchant as it is after it."""

    class StaffDecisionView(APIView):
        permission_classes = (MayDecideMerchants,)

        @describe(
            summary,
            description=description,
            request=fields,
            answers=answers or {200: MerchantSerializer},
            problems=(404,),
            conflicts=(MerchantStateConflict,),
            key="optional",
            staff=True,
        )
        def post(self, request: Request) -> HttpResponse:
            return answer_once(request, fields, partial(act, by=staff_actor(request)), status=status_of)

    return StaffDecisionView


LIMIT_ANSWERS = {200: MerchantLimitSerializer, 202: MerchantLimitSerializer}

ApproveView = staff_decision(
    "Approve a merchant",
    "Creates the merchant's wallet account and credit. 202 when the limit takes a second person: nothing is set yet.",
    CreditLimitSerializer,
    limit_decided(services.merchant_approve),
    LIMIT_ANSWERS,
)
RefuseView = staff_decision(
    "Refuse a merchant", "Turns a pending merchant away.", MerchantDecisionSerializer, shown(services.merchant_refuse)
)
SuspendView = staff_decision(
    "Suspend a merchant",
    "Stops the merchant's withdrawals at once.",
    MerchantDecisionSerializer,
    shown(services.merchant_suspend),
)
ReinstateView = staff_decision(
    "Reinstate a merchant",
    "Lets a suspended merchant withdraw again.",
    MerchantReferenceSerializer,
    shown(services.merchant_reinstate),
)
CreditLimitView = staff_decision(
    "Change a credit limit",
    "Sets the limit; one below what is used only stops new withdrawals. 202 when a raise takes a second person.",
    CreditLimitSerializer,
    limit_decided(services.credit_limit_change),
    LIMIT_ANSWERS,
)
