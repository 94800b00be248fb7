"""Statements of a merchant's account: of any days, or of a month; for the merchant and for staff."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.serializers import validated
from etebar_common.problems import NotFound
from payments.account_statements.representation import csv_lines, statement_members
from payments.account_statements.selectors import MOST_ENTRIES, MOST_PRINTED_ENTRIES, Period, statement_get
from payments.account_statements.serializers import (
    AccountStatementSerializer,
    FormSerializer,
    StatementQuerySerializer,
)
from payments.account_statements.sheets import printed
from payments.merchants.selectors import merchant_get
from payments.tokens.authentication import merchant_id_of
from payments.tokens.caller import STATEMENTS_READ
from payments.tokens.permissions import IsMerchant, IsStaff

CSV, PDF = "text/csv", "application/pdf"
FILES = frozenset({"csv", "pdf"})
Answer = Response | HttpResponse | StreamingHttpResponse


def answered(merchant_id: int, period: Period, query: dict[str, Any]) -> Answer:
    """The statement in the form that was asked for; raises StatementTooLong."""
    match query["form"]:
        case "csv":
            answer: Answer = StreamingHttpResponse(csv_lines(merchant_id, period), content_type=f"{CSV}; charset=utf-8")
        case "pdf":
            statement = statement_get(merchant_id, period, MOST_PRINTED_ENTRIES)
            username = merchant_get(merchant_id).user.username
            with translation.override(query["language"]):
                answer = HttpResponse(printed(statement, username=username, at=timezone.now()), content_type=PDF)
        case _:
            return Response(statement_members(statement_get(merchant_id, period, MOST_ENTRIES)))
    name = f"statement-{merchant_id}-{period.first}-{period.last}.{query['form']}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


class StatementView(APIView):
    """Answers with JSON or a file, as the query has it; whoever names a file's media type means that, too."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - DRF's
        is_file = request.query_params.get("form") in FILES
        return super().perform_content_negotiation(request, force=force or is_file)


def period_of(query: dict[str, Any]) -> Period:
    return Period(query["period_from"], query["period_to"])


class StatementsView(StatementView):
    permission_classes = (IsMerchant,)
    api_key_scope = STATEMENTS_READ

    @describe(
        "Get a statement", query=StatementQuerySerializer, answers={200: AccountStatementSerializer}, files=(CSV, PDF)
    )
    def get(self, request: Request) -> Answer:
        """What moved the merchant's account on these days, between what was used before and after."""
        query = validated(StatementQuerySerializer, request.query_params)
        return answered(merchant_id_of(request), period_of(query), query)


class MonthView(StatementView):
    permission_classes = (IsMerchant,)
    api_key_scope = STATEMENTS_READ

    @describe(
        "Get a month's statement",
        query=FormSerializer,
        answers={200: AccountStatementSerializer},
        problems=(404,),
        files=(CSV, PDF),
    )
    def get(self, request: Request, year: int, month: int) -> Answer:
        """The same of a month, `/api/v1/statements/2026-11`."""
        query = validated(FormSerializer, request.query_params)
        try:
            period = Period.month(year, month)
        except ValueError as error:
            raise NotFound(f"there is no month {year}-{month:02}") from error
        return answered(merchant_id_of(request), period, query)


class MerchantStatementsView(StatementView):
    permission_classes = (IsStaff,)

    @describe(
        "Get a merchant's statement",
        query=StatementQuerySerializer,
        answers={200: AccountStatementSerializer},
        problems=(404,),
        staff=True,
        files=(CSV, PDF),
    )
    def get(self, request: Request, merchant_id: int) -> Answer:
        """A merchant's statement, as the merchant sees it."""
        query = validated(StatementQuerySerializer, request.query_params)
        return answered(merchant_get(merchant_id).pk, period_of(query), query)
