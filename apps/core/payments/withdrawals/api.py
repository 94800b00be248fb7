"""/api/v1/withdrawals: a merchant's withdrawals, and staff's view of all."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.problem_handler import problem_response, to_problem
from core.request_context import context_of
from core.serializers import validated
from etebar_common.problems import InternalError, NotFound
from payments.idempotency.identity import identity_of
from payments.models import Withdrawal
from payments.request_log.writer import opened_row
from payments.tokens.authentication import merchant_id_of
from payments.tokens.permissions import IsMerchant, IsStaff
from payments.withdrawals.job import WithdrawalCommand
from payments.withdrawals.plain_request import count_request, plain_withdrawal
from payments.withdrawals.representation import members_of
from payments.withdrawals.selectors import withdrawals_filtered
from payments.withdrawals.serializers import (
    StaffWithdrawalQuerySerializer,
    WithdrawalCreateSerializer,
    WithdrawalPageSerializer,
    WithdrawalQuerySerializer,
    WithdrawalSerializer,
)
from payments.withdrawals.services import withdrawal_create


def _wants_async(request: HttpRequest) -> bool:
    preferences = request.headers.get("Prefer", "").split(",")
    return any(preference.split(";")[0].strip().lower() == "respond-async" for preference in preferences)


def _withdraw(request: HttpRequest, amount: Decimal) -> HttpResponse:
    identity = identity_of(request, {"amount": amount}, required=True)
    if identity is None:
        raise InternalError
    context = context_of(request)
    command = WithdrawalCommand(
        merchant_id=merchant_id_of(request),
        amount=amount,
        identity=identity,
        context=context,
        log=opened_row(request, context),
        respond_async=_wants_async(request),
    )
    return withdrawal_create(command).response()


class WithdrawalsView(APIView):
    permission_classes = (IsMerchant,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Plain requests to withdraw take the short way: the same checks, without what DRF does for every kind."""
        try:
            amount = plain_withdrawal(request)
            if amount is not None:
                count_request(request)
                return _withdraw(request, amount)
        except Exception as error:  # noqa: BLE001 - as DRF does with a view's errors
            return problem_response(to_problem(error))
        return super().dispatch(request, *args, **kwargs)

    @describe(
        "Withdraw",
        request=WithdrawalCreateSerializer,
        answers={201: WithdrawalSerializer, 202: WithdrawalSerializer},
        problems=(409, 422),
        key="required",
        prefer=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """Reserves the amount and pays it to the merchant's bank account.

        201: paid. 202: the outcome is not known yet; follow Location. 409: nothing moved.
        """
        fields = validated(WithdrawalCreateSerializer, request.data)
        return _withdraw(request._request, fields["amount"])  # noqa: SLF001 - DRF gives no other way to the HttpRequest

    @describe("List withdrawals", query=WithdrawalQuerySerializer, answers={200: WithdrawalPageSerializer})
    def get(self, request: Request) -> Response:
        """The merchant's withdrawals, newest first."""
        query = validated(WithdrawalQuerySerializer, request.query_params)
        filters = {name: query[name] for name in ("state", "created_from", "created_to") if name in query}
        withdrawals = withdrawals_filtered(merchant_id=merchant_id_of(request), **filters)
        return Response(paginate(request, withdrawals, members_of, query=query))


class WithdrawalView(APIView):
    permission_classes = (IsMerchant,)

    @describe("Get a withdrawal", answers={200: WithdrawalSerializer}, problems=(404,))
    def get(self, request: Request, withdrawal_id: UUID) -> Response:
        """One of the merchant's withdrawals."""
        withdrawal = Withdrawal.objects.filter(pk=withdrawal_id, merchant_id=merchant_id_of(request)).first()
        if withdrawal is None:
            raise NotFound(f"you have no withdrawal {withdrawal_id}")
        return Response(members_of(withdrawal))


class StaffWithdrawalsView(APIView):
    permission_classes = (IsStaff,)

    @describe(
        "List all withdrawals",
        query=StaffWithdrawalQuerySerializer,
        answers={200: WithdrawalPageSerializer},
        staff=True,
    )
    def get(self, request: Request) -> Response:
        """Every merchant's withdrawals, newest first; `overdue=true`: those whose outcome is unknown for too long."""
        query = validated(StaffWithdrawalQuerySerializer, request.query_params)
        names = ("state", "created_from", "created_to", "merchant_id", "overdue")
        filters = {name: query[name] for name in names if name in query}
        return Response(paginate(request, withdrawals_filtered(**filters), members_of, query=query))
