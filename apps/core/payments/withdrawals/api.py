"""/api/v1/withdrawals: a merchant's withdrawals, and staff's view of all."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.serializers import validated
from etebar_common.money import CENT
from etebar_common.problems import InsufficientCredit, InsufficientPool, MerchantNotActive, NotFound, PayoutFailed
from payments.models import Withdrawal
from payments.tokens.authentication import merchant_id_of
from payments.tokens.caller import WITHDRAWALS_READ, WITHDRAWALS_WRITE
from payments.tokens.permissions import IsMerchant, IsStaff
from payments.withdrawals import examples
from payments.withdrawals.representation import members_of
from payments.withdrawals.requests import command_of
from payments.withdrawals.selectors import totals, withdrawals_filtered
from payments.withdrawals.serializers import (
    StaffWithdrawalQuerySerializer,
    WithdrawalCreateSerializer,
    WithdrawalFilterSerializer,
    WithdrawalPageSerializer,
    WithdrawalQuerySerializer,
    WithdrawalSerializer,
    WithdrawalTotalsSerializer,
)
from payments.withdrawals.services import withdrawal_create

PAGING = frozenset({"limit", "cursor"})


def chosen_by(query: dict[str, Any]) -> dict[str, Any]:
    """The filters among validated query parameters."""
    return {name: value for name, value in query.items() if name not in PAGING}


class WithdrawalsView(APIView):
    permission_classes = (IsMerchant,)
    api_key_scope: ClassVar = {"POST": WITHDRAWALS_WRITE, "GET": WITHDRAWALS_READ}

    @describe(
        "Withdraw",
        request=WithdrawalCreateSerializer,
        answers={201: WithdrawalSerializer, 202: WithdrawalSerializer},
        conflicts=(InsufficientCredit, InsufficientPool, MerchantNotActive, PayoutFailed),
        key="required",
        prefer=True,
        examples=examples.WITHDRAW,
    )
    def post(self, request: Request) -> HttpResponse:
        """Reserves the amount and pays it to the merchant's bank account.

        201: paid. 202: the outcome is not known yet; follow Location. 409: nothing moved.
        """
        fields = validated(WithdrawalCreateSerializer, request.data)
        command = command_of(request._request, fields["amount"])  # noqa: SLF001 - DRF gives no other way to it
        return withdrawal_create(command).response()

    @describe("List withdrawals", query=WithdrawalQuerySerializer, answers={200: WithdrawalPageSerializer})
    def get(self, request: Request) -> Response:
        """The merchant's withdrawals, newest first."""
        query = validated(WithdrawalQuerySerializer, request.query_params)
        withdrawals = withdrawals_filtered(merchant_id=merchant_id_of(request), **chosen_by(query))
        return Response(paginate(request, withdrawals, members_of, query=query))


class TotalsView(APIView):
    permission_classes = (IsMerchant,)
    api_key_scope = WITHDRAWALS_READ

    @describe("Add withdrawals up", query=WithdrawalFilterSerializer, answers={200: WithdrawalTotalsSerializer})
    def get(self, request: Request) -> Response:
        """How many of the merchant's withdrawals there are in each state, and their sums, under the list's filters."""
        query = validated(WithdrawalFilterSerializer, request.query_params)
        found = totals(withdrawals_filtered(merchant_id=merchant_id_of(request), **chosen_by(query)))
        return Response(
            {state: {"count": each.count, "amount": str(each.amount.quantize(CENT))} for state, each in found.items()}
        )


class WithdrawalView(APIView):
    permission_classes = (IsMerchant,)
    api_key_scope = WITHDRAWALS_READ

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
        withdrawals = withdrawals_filtered(**chosen_by(query))
        return Response(paginate(request, withdrawals, members_of, query=query))
