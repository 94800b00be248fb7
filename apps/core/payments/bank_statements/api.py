"""/api/v1/admin/bank-statements: what the bank says, compared with the withdrawals."""

from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import DEFAULT_PAGE_SIZE, paginate
from core.serializers import validated
from etebar_common.problems import NoDifference
from payments.approvals.differences import difference_ask
from payments.approvals.representation import approval_members
from payments.approvals.serializers import ApprovalSerializer
from payments.audit.services import staff_actor
from payments.bank_statements.representation import (
    difference_members,
    imported_members,
    report_members,
    statement_members,
)
from payments.bank_statements.selectors import differences_page, statement_get
from payments.bank_statements.serializers import (
    DifferencePageSerializer,
    DifferenceQuerySerializer,
    ResolutionSerializer,
    StatementImportedSerializer,
    StatementImportSerializer,
    StatementPageSerializer,
    StatementReportSerializer,
)
from payments.bank_statements.services import statement_import
from payments.idempotency.act import answer_once
from payments.models import BankStatement
from payments.tokens.permissions import IsStaff, MayAsk, MayImportStatements
from payments.withdrawals.serializers import PageQuerySerializer


class BankStatementsView(APIView):
    permission_classes = (MayImportStatements,)

    @describe(
        "Import a bank statement",
        request=StatementImportSerializer,
        answers={201: StatementImportedSerializer},
        key="optional",
        staff=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """A file is imported once, and each of its lines once; the books are not changed by it."""

        def act(*, content: str, **fields: Any) -> dict[str, Any]:
            return imported_members(statement_import(content=content.encode(), by=staff_actor(request), **fields))

        return answer_once(request, StatementImportSerializer, act, status=201)

    @describe("List bank statements", query=PageQuerySerializer, answers={200: StatementPageSerializer}, staff=True)
    def get(self, request: Request) -> Response:
        """What was imported, newest first."""
        query = validated(PageQuerySerializer, request.query_params)
        return Response(paginate(request, BankStatement.objects.all(), statement_members, query=query))


class BankStatementView(APIView):
    permission_classes = (IsStaff,)

    @describe("Get a bank statement", answers={200: StatementReportSerializer}, problems=(404,), staff=True)
    def get(self, request: Request, statement_id: UUID) -> Response:
        """One statement, with how many of its lines match the withdrawals and how many do not."""
        return Response(report_members(statement_get(statement_id)))


class DifferencesView(APIView):
    permission_classes = (IsStaff,)

    @describe(
        "List a bank statement's differences",
        query=DifferenceQuerySerializer,
        answers={200: DifferencePageSerializer},
        problems=(404,),
        staff=True,
    )
    def get(self, request: Request, statement_id: UUID) -> Response:
        """Lines that are not as the withdrawals are, then settled withdrawals that no line tells of."""
        query = validated(DifferenceQuerySerializer, request.query_params)
        limit = query.get("limit") or DEFAULT_PAGE_SIZE
        rows = differences_page(
            statement_get(statement_id).pk,
            kind=query.get("kind"),
            resolved=query["resolved"],
            after=query.get("cursor", ""),
            limit=limit + 1,
        )
        following = None
        if len(rows) > limit:
            parameters = {**request.query_params.dict(), "cursor": rows[limit - 1]["key"]}
            following = f"{request.path}?{urlencode(parameters)}"
        return Response({"results": [difference_members(row) for row in rows[:limit]], "next": following})


class ResolutionsView(APIView):
    permission_classes = (MayAsk,)

    @describe(
        "Ask to resolve a difference",
        request=ResolutionSerializer,
        answers={202: ApprovalSerializer},
        problems=(404,),
        conflicts=(NoDifference,),
        key="optional",
        staff=True,
    )
    def post(self, request: Request, statement_id: UUID) -> HttpResponse:
        """Says what a difference is. It is resolved when somebody else approves; money is moved by an adjustment."""
        ask = partial(difference_ask, statement_id=statement_id, by=staff_actor(request))
        return answer_once(request, ResolutionSerializer, lambda **fields: approval_members(ask(**fields)), status=202)
