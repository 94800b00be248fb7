"""Importing the bank's statement changes nothing, and finds exactly what is not as the withdrawals are."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from core.environment import ENVIRONMENT
from payments.bank_statements import files
from payments.books.services import verify_books
from payments.dispatch.services import dispatch_due
from payments.models import (
    ApprovalRequest,
    AuditEntry,
    BankStatement,
    BankStatementLine,
    LedgerEntry,
    StatementResolution,
    Withdrawal,
)
from payments.tests.factories import (
    client_of,
    fund_pool,
    make_merchant,
    make_staff,
    merchant_client,
    staff_client,
    unique_name,
    withdraw,
)
from payments.tests.test_bank_statement_forms import a_line, camt, entry, written_csv
from payments.tests.test_concurrent_withdrawals import all_at_once

pytestmark = pytest.mark.usefixtures("books")

ACCOUNT = "IRTEST0000000000001"
PATH = "/api/v1/admin/bank-statements"


@pytest.fixture
def first() -> APIClient:
    return staff_client()


@pytest.fixture
def second() -> APIClient:
    """Another member of staff, who was there before anything was asked for."""
    return staff_client()


@pytest.fixture(autouse=True)
def _funded(books: None) -> None:
    fund_pool("100.00")


def settled(amount: str = "3.00", account: str = ACCOUNT, **headers: str) -> Withdrawal:
    answer = withdraw(merchant_client(make_merchant(account=account)), amount, **headers)
    body = answer.json()
    return Withdrawal.objects.get(pk=body.get("withdrawal", body)["id"])


def line_of(withdrawal: Withdrawal, **changes: Any) -> Any:
    """The line by which the bank tells that it paid the withdrawal."""
    values = {
        "booked_on": datetime.now(UTC).date(),
        "bank_reference": unique_name("b"),
        "reference": str(withdrawal.pk),
        "amount": withdrawal.amount,
        "account": ACCOUNT,
    }
    return a_line(**(values | changes))


def post(staff: APIClient, content: bytes, **fields: Any) -> Any:
    return staff.post(PATH, {"content": content.decode(), **fields}, format="json")


def imported(staff: APIClient, *lines: Any, **fields: Any) -> str:
    answer = post(staff, written_csv(list(lines)), **fields)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["statement_id"])


def counts(staff: APIClient, statement_id: str) -> dict[str, int]:
    """What is found of each kind, where there is anything."""
    members = staff.get(f"{PATH}/{statement_id}").json()
    kinds = ("matched", "different", "extra", "missing", "other")
    return {kind: members[kind]["found"] for kind in kinds if members[kind]["found"]}


def differences(staff: APIClient, statement_id: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staff.get(f"{PATH}/{statement_id}/differences{query}").json()["results"]
    return found


class TestAnImport:
    def test_matches_what_was_paid_and_changes_no_books(self, first: APIClient) -> None:
        lines = [line_of(settled()), line_of(settled("4.00"), account="")]
        entries = LedgerEntry.objects.count()
        assert counts(first, imported(first, *lines)) == {"matched": 2}
        assert LedgerEntry.objects.count() == entries
        assert verify_books().differences == []

    def test_takes_camt053_too(self, first: APIClient) -> None:
        answer = post(first, camt(entry(line_of(settled()))), name="january.xml")
        assert (answer.json()["form"], answer.json()["name"]) == ("camt.053", "january.xml")
        assert counts(first, answer.json()["statement_id"]) == {"matched": 1}

    def test_of_the_same_file_is_one(self, first: APIClient) -> None:
        content = written_csv([line_of(settled())])
        one, again = (post(first, content).json() for _ in range(2))
        assert (one["is_new"], one["new_lines"], again["is_new"], again["new_lines"]) == (True, 1, False, 0)
        assert one["statement_id"] == again["statement_id"]
        assert BankStatement.objects.count() == 1

    def test_of_a_line_that_another_file_had_leaves_it_there(self, first: APIClient) -> None:
        known, new = line_of(settled()), line_of(settled("4.00"))
        imported(first, known)
        answer = post(first, written_csv([known, new]))
        assert (answer.json()["line_count"], answer.json()["new_lines"]) == (2, 1)
        assert counts(first, answer.json()["statement_id"]) == {"matched": 1}

    @pytest.mark.parametrize("form", ["csv", "camt"])
    def test_of_equal_lines_in_one_file_tells_of_two_payments(self, first: APIClient, form: str) -> None:
        line = line_of(settled())
        content = written_csv([line, line]) if form == "csv" else camt(entry(line) + entry(line))
        answer = post(first, content).json()
        assert (answer["line_count"], answer["new_lines"]) == (2, 2)
        assert counts(first, answer["statement_id"]) == {"matched": 1, "different": 1}
        assert differences(first, answer["statement_id"])[0]["differs"] == ["again"]
        later = post(first, written_csv([line, line, line_of(settled("4.00"))])).json()
        assert later["new_lines"] == 1

    def test_that_is_wrong_imports_nothing_and_names_the_line(self, first: APIClient) -> None:
        content = written_csv([line_of(settled()), line_of(settled())]) + b"31.1.,b,r,x,\r\n"
        answer = post(first, content)
        assert (answer.status_code, answer.json()["code"]) == (422, "bank_statement_invalid")
        assert [each["field"] for each in answer.json()["errors"]] == ["line 4, booked_on", "line 4, amount"]
        assert not BankStatement.objects.exists()
        assert not BankStatementLine.objects.exists()

    def test_stores_no_account_number(self, first: APIClient) -> None:
        withdrawal = settled()
        imported(first, line_of(withdrawal))
        line = BankStatementLine.objects.get()
        assert (line.account_fingerprint, line.account_masked) == (
            withdrawal.account_fingerprint,
            "IR*************0001",
        )

    def test_is_once_under_a_key_and_in_the_audit(self) -> None:
        user, content = make_staff(), written_csv([line_of(settled())]).decode()
        headers = {"Idempotency-Key": unique_name("key-")}
        answers = [client_of(user).post(PATH, {"content": content}, format="json", headers=headers) for _ in range(2)]
        assert answers[0].content == answers[1].content
        assert AuditEntry.objects.filter(action="bank_statement_imported", user_id=user.pk).count() == 1

    def test_of_too_much_is_refused(self, first: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        small = ENVIRONMENT.model_copy(update={"bank_statement_limit_bytes": 100})
        monkeypatch.setattr(files, "ENVIRONMENT", small)
        answer = post(first, written_csv([line_of(settled())]))
        assert "is larger than 100 bytes" in answer.json()["detail"]

    @pytest.mark.parametrize("content", [7, None, "", "\ud800"])
    def test_of_what_is_no_text_is_refused(self, first: APIClient, content: object) -> None:
        answer = first.post(PATH, json.dumps({"content": content}), content_type="application/json")
        assert answer.status_code in {400, 422}

    def test_is_not_a_merchants(self) -> None:
        client = merchant_client(make_merchant())
        assert post(client, b"").status_code == 403
        assert client.get(PATH).status_code == 403


class TestADifference:
    @pytest.mark.parametrize(
        ("changes", "differs"),
        [
            ({"amount": "3.01"}, ["amount"]),
            ({"account": "IRTEST0000000000002"}, ["account"]),
            ({"amount": "2.99", "account": "IRTEST0000000000002"}, ["amount", "account"]),
            ({"amount": "-3.00"}, ["returned"]),
        ],
    )
    def test_of_a_line_is_named(self, first: APIClient, changes: dict[str, Any], differs: list[str]) -> None:
        withdrawal = settled()
        found = differences(first, imported(first, line_of(withdrawal, **changes)), "?kind=different")
        assert [(each["kind"], each["differs"], each["withdrawal_id"]) for each in found] == [
            ("different", differs, str(withdrawal.pk))
        ]

    def test_is_a_withdrawal_that_is_not_settled(self, first: APIClient) -> None:
        failed = settled(account="IRTESTREFUSED0000001")
        pending = settled(account="IRTESTDOWN0000000001")
        statement = imported(first, *(line_of(each, account="") for each in (failed, pending)))
        found = differences(first, statement)
        assert [(each["differs"], each["withdrawal_state"]) for each in found] == [
            (["state"], "failed"),
            (["state"], "pending"),
        ]

    def test_is_a_second_payment(self, first: APIClient) -> None:
        withdrawal = settled()
        statement = imported(first, line_of(withdrawal), line_of(withdrawal))
        assert counts(first, statement) == {"matched": 1, "different": 1}
        assert differences(first, statement)[0]["differs"] == ["again"]

    def test_is_a_line_of_no_withdrawal_but_not_what_came_in(self, first: APIClient) -> None:
        lines = [
            a_line(reference=str(uuid4()), bank_reference="b-1"),
            a_line(reference="rent", bank_reference="b-2"),
            a_line(reference="interest", bank_reference="b-3", amount="-1.00"),
        ]
        statement = imported(first, *lines)
        assert counts(first, statement) == {"extra": 2, "other": 1}
        assert {each["kind"] for each in differences(first, statement)} == {"extra"}

    def test_is_what_was_settled_within_the_period_and_no_line_pays(self, first: APIClient) -> None:
        missing, paid = settled("5.00"), settled("6.00")
        statement = imported(first, line_of(paid))
        (found,) = differences(first, statement)
        assert (found["kind"], found["withdrawal_id"], found["withdrawal_amount"], found["amount"]) == (
            "missing",
            str(missing.pk),
            "5.00",
            None,
        )
        imported(first, line_of(missing))
        assert counts(first, statement) == {"matched": 1}

    def test_is_not_what_was_settled_on_another_day(self, first: APIClient) -> None:
        settled()
        tomorrow = datetime.now(UTC).date() + timedelta(days=1)
        statement = imported(first, a_line(booked_on=tomorrow, amount="-1.00"))
        assert counts(first, statement) == {"other": 1}

    def test_is_over_when_the_outcome_becomes_known(self, first: APIClient) -> None:
        withdrawal = settled(account="IRTESTTIMEOUT0000001")
        statement = imported(first, line_of(withdrawal, account=""))
        assert counts(first, statement) == {"different": 1}
        Withdrawal.objects.update(next_attempt_at=timezone.now())
        assert dispatch_due() == 1
        assert counts(first, statement) == {"matched": 1}

    def test_pages_and_filters_lead_through_all(self, first: APIClient) -> None:
        withdrawals = [settled(f"1.0{cents}") for cents in range(1, 4)]
        lines = [a_line(reference="x", bank_reference=f"b-{n}", booked_on=datetime.now(UTC).date()) for n in range(4)]
        path, seen = f"{PATH}/{imported(first, *lines)}/differences?limit=2", []
        while path:
            page = first.get(path).json()
            seen += page["results"]
            path = page["next"]
        assert [each["kind"] for each in seen] == ["extra"] * 4 + ["missing"] * 3
        assert {each["withdrawal_id"] for each in seen[4:]} == {str(each.pk) for each in withdrawals}

    @pytest.mark.parametrize("query", ["cursor=x", "kind=matched", "limit=0"])
    def test_is_not_found_by_a_wrong_question(self, first: APIClient, query: str) -> None:
        statement = imported(first, a_line())
        assert first.get(f"{PATH}/{statement}/differences?{query}").status_code == 422

    def test_of_an_unknown_statement_is_404(self, first: APIClient) -> None:
        assert first.get(f"{PATH}/{uuid4()}").status_code == 404
        assert first.get(f"{PATH}/{uuid4()}/differences").status_code == 404


class TestAResolution:
    def ask(self, staff: APIClient, statement: str, **about: Any) -> Any:
        fields = {"reason": "the bank's fee", **about}
        return staff.post(f"{PATH}/{statement}/resolutions", fields, format="json")

    def approve(self, staff: APIClient, approval_id: str) -> Any:
        return staff.post("/api/v1/admin/approvals/approve", {"approval_id": approval_id}, format="json")

    def test_takes_two_people_and_moves_nothing(self, first: APIClient, second: APIClient) -> None:
        statement = imported(first, a_line())
        (difference,) = differences(first, statement)
        asked = self.ask(first, statement, line_id=difference["line_id"])
        assert (asked.status_code, asked.json()["kind"]) == (202, "statement_difference")
        approval_id = asked.json()["approval_id"]
        assert self.approve(first, approval_id).json()["code"] == "second_person_needed"
        entries = LedgerEntry.objects.count()
        assert self.approve(second, approval_id).status_code == 200
        assert LedgerEntry.objects.count() == entries
        assert first.get(f"{PATH}/{statement}").json()["extra"] == {"found": 1, "resolved": 1}
        (resolved,) = differences(first, statement, "?resolved=true")
        assert (resolved["resolved"], resolved["reason"]) == (True, "the bank's fee")
        assert differences(first, statement, "?resolved=false") == []

    def test_of_a_withdrawal_without_a_line(self, first: APIClient, second: APIClient) -> None:
        withdrawal = settled()
        statement = imported(first, a_line(booked_on=datetime.now(UTC).date(), amount="-1.00"))
        asked = self.ask(first, statement, withdrawal_id=str(withdrawal.pk)).json()
        assert self.approve(second, asked["approval_id"]).status_code == 200
        assert first.get(f"{PATH}/{statement}").json()["missing"] == {"found": 1, "resolved": 1}

    def test_is_of_the_difference_as_it_was_seen(self, first: APIClient, second: APIClient) -> None:
        """Paid while it was pending: explained. When it has failed after all, it is another difference, and open."""
        withdrawal = settled(Prefer="respond-async")
        statement = imported(first, line_of(withdrawal))
        [found] = differences(first, statement)
        asked = self.ask(first, statement, line_id=found["line_id"]).json()["approval_id"]
        assert self.approve(second, asked).status_code == 200
        assert differences(first, statement, "?resolved=false") == []
        late = self.ask(first, statement, line_id=found["line_id"])
        assert late.status_code == 409
        Withdrawal.objects.filter(pk=withdrawal.pk).update(
            state="failed", finalized_at=timezone.now(), next_attempt_at=None, failure_code="closed"
        )
        [again] = differences(first, statement, "?resolved=false")
        assert (again["withdrawal_state"], again["line_id"]) == ("failed", found["line_id"])
        asked = self.ask(first, statement, line_id=found["line_id"]).json()["approval_id"]
        assert self.approve(second, asked).status_code == 200
        assert differences(first, statement, "?resolved=false") == []

    def test_is_not_approved_for_what_has_changed_since_it_was_asked(self, first: APIClient, second: APIClient) -> None:
        withdrawal = settled(Prefer="respond-async")
        statement = imported(first, line_of(withdrawal))
        [found] = differences(first, statement)
        asked = self.ask(first, statement, line_id=found["line_id"]).json()["approval_id"]
        Withdrawal.objects.filter(pk=withdrawal.pk).update(
            state="failed", finalized_at=timezone.now(), next_attempt_at=None, failure_code="closed"
        )
        assert self.approve(second, asked).json()["code"] == "no_difference"

    def test_asked_for_by_two_at_once_is_one_request(self, first: APIClient, second: APIClient) -> None:
        statement = imported(first, line_of(settled(), amount="9.00"))
        [found] = differences(first, statement)
        asks = [
            lambda staff=staff: self.ask(staff, statement, line_id=found["line_id"]) for staff in (first, second)
        ] * 3
        assert {answer.status_code for answer in all_at_once(asks)} == {202}
        assert ApprovalRequest.objects.filter(state="requested").count() == 1

    def test_again_is_one_request_and_of_another_reason_takes_its_place(self, first: APIClient) -> None:
        statement = imported(first, a_line())
        line_id = differences(first, statement)[0]["line_id"]
        one, same = (self.ask(first, statement, line_id=line_id).json()["approval_id"] for _ in range(2))
        other = self.ask(first, statement, line_id=line_id, reason="a mistake").json()["approval_id"]
        assert (one == same, one == other) == (True, False)
        assert ApprovalRequest.objects.get(pk=one).state == "withdrawn"

    def test_of_what_is_no_difference_is_refused(self, first: APIClient, second: APIClient) -> None:
        withdrawal = settled()
        statement = imported(first, line_of(withdrawal), a_line(bank_reference="b-9"), period_from="2026-01-01")
        matched = BankStatementLine.objects.get(withdrawal_id=withdrawal.pk).pk
        for about in ({"line_id": matched}, {"line_id": 10**9}, {"withdrawal_id": str(withdrawal.pk)}):
            answer = self.ask(first, statement, **about)
            assert (answer.status_code, answer.json()["code"]) == (409, "no_difference")
        line_id = differences(first, statement)[0]["line_id"]
        asked = self.ask(first, statement, line_id=line_id).json()["approval_id"]
        self.approve(second, asked)
        assert self.ask(first, statement, line_id=line_id).json()["code"] == "no_difference"

    @pytest.mark.parametrize("about", [{}, {"line_id": 1, "withdrawal_id": str(UUID(int=1))}, {"line_id": "1"}])
    def test_is_of_one_difference(self, first: APIClient, about: dict[str, Any]) -> None:
        assert self.ask(first, imported(first, a_line()), **about).status_code == 422

    def test_is_refused_by_the_database_unless_it_was_approved(self, first: APIClient) -> None:
        statement = imported(first, a_line())
        line_id = differences(first, statement)[0]["line_id"]
        asked = self.ask(first, statement, line_id=line_id).json()["approval_id"]
        with pytest.raises(IntegrityError, match="two people have approved"), transaction.atomic():
            StatementResolution.objects.create(pk=asked, line_id=line_id, reason="r", created_at=timezone.now())


class TestTheCommand:
    def run(self, *arguments: object) -> tuple[int, str, str]:
        out, err = StringIO(), StringIO()
        try:
            call_command("import_bank_statement", *map(str, arguments), stdout=out, stderr=err)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    def test_ends_0_when_all_match(self, tmp_path: Path) -> None:
        (tmp_path / "s.csv").write_bytes(written_csv([line_of(settled())]))
        code, out, _ = self.run(tmp_path / "s.csv")
        assert (code, "1 new lines" in out, "1 matched, 0 different" in out) == (0, True, True)
        assert "nothing new, it was imported before" in self.run(tmp_path / "s.csv")[1]

    def test_ends_1_naming_what_differs(self, tmp_path: Path) -> None:
        withdrawal = settled()
        (tmp_path / "s.xml").write_bytes(camt(entry(line_of(withdrawal, amount="9.00"))))
        code, _, err = self.run(tmp_path / "s.xml")
        assert code == 1
        assert f"different (amount): line {BankStatementLine.objects.get().pk} {withdrawal.pk}" in err
        assert "booked 9.00, withdrawn 3.00" in err

    def test_takes_the_period(self, tmp_path: Path) -> None:
        (tmp_path / "s.csv").write_bytes(written_csv([]))
        assert self.run(tmp_path / "s.csv", "--from=2020-01-01", "--to=2020-01-31")[0] == 0
        with pytest.raises(CommandError, match="expected a day"):
            self.run(tmp_path / "s.csv", "--from=1.1.2020")

    def test_says_what_is_wrong_with_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "s.csv").write_text("a,b\n")
        with pytest.raises(CommandError, match="nothing was imported:\n  line 1: is not the header"):
            self.run(tmp_path / "s.csv")
        with pytest.raises(CommandError, match="cannot be read"):
            self.run(tmp_path / "none.csv")
