"""Ledger entries of a merchant's account."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.serializers import AmountField, validated
from etebar_common.money import CENT
from payments.answers import timestamp
from payments.ledger.selectors import entries_of_merchant
from payments.merchants.selectors import merchant_get
from payments.models import LedgerEntry
from payments.tokens.authentication import merchant_id_of
from payments.tokens.caller import STATEMENTS_READ
from payments.tokens.permissions import IsMerchant, IsStaff
from payments.withdrawals.serializers import PageQuerySerializer


class LedgerEntrySerializer(serializers.Serializer[LedgerEntry]):
    """One entry on the merchant's account: positive amounts use credit, negative ones give it back."""

    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=LedgerEntry.Kind.choices)
    amount = serializers.CharField()
    balance_after = AmountField()
    transaction_id = serializers.UUIDField()
    withdrawal_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class LedgerPageSerializer(serializers.Serializer[LedgerEntry]):
    results = LedgerEntrySerializer(many=True)
    next = serializers.CharField(allow_null=True)


def entry_members(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "kind": entry.kind,
        "amount": str(entry.amount.quantize(CENT)),
        "balance_after": str(entry.balance_after.quantize(CENT)),
        "transaction_id": str(entry.transaction_id),
        "withdrawal_id": str(entry.withdrawal_id) if entry.withdrawal_id else None,
        "created_at": timestamp(entry.created_at),
    }


def _page(request: Request, merchant_id: int) -> Response:
    query = validated(PageQuerySerializer, request.query_params)
    entries = entries_of_merchant(merchant_id)
    return Response(paginate(request, entries, entry_members, query=query, order_by="number"))


class LedgerView(APIView):
    permission_classes = (IsMerchant,)
    api_key_scope = STATEMENTS_READ

    @describe("List ledger entries", query=PageQuerySerializer, answers={200: LedgerPageSerializer})
    def get(self, request: Request) -> Response:
        """The merchant's ledger entries, newest first."""
        return _page(request, merchant_id_of(request))


class MerchantLedgerView(APIView):
    permission_classes = (IsStaff,)

    @describe(
        "List a merchant's ledger entries",
        query=PageQuerySerializer,
        answers={200: LedgerPageSerializer},
        problems=(404,),
        staff=True,
    )
    def get(self, request: Request, merchant_id: int) -> Response:
        """One merchant's ledger entries, newest first."""
        return _page(request, merchant_get(merchant_id).pk)
