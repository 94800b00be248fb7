"""What each group sees and does in the staff console, by the same services as the API."""

import io

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command

from payments.models import POOL_ID, AuditEntry
from payments.staff.groups import APPROVER, AUDITOR, GROUPS, TREASURER, VIEWER
from payments.tests.console import console_of, do, make_pool, page, unknown_withdrawal
from payments.tests.factories import client_of, fund_pool, make_groups, make_merchant, make_staff

pytestmark = pytest.mark.usefixtures("books")


class TestGroups:
    def test_are_in_the_database_as_the_table_says(self) -> None:
        make_groups()
        found = {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}
        assert found == {name: set(codenames) for name, codenames in GROUPS.items()}
        assert set(
            Permission.objects.filter(codename__startswith="view_", content_type__app_label="payments").values_list(
                "codename", flat=True
            )
        ) >= {name for names in GROUPS.values() for name in names if name.startswith("view_")}

    @pytest.mark.parametrize(
        ("model", "act", "fields", "may"),
        [
            ("merchant", "approve", {"credit_limit": "50"}, {APPROVER}),
            ("merchant", "refuse", {}, {APPROVER}),
            ("creditpool", "top-up", {"amount": "5"}, {TREASURER}),
            ("creditpool", "adjust", {"amount": "-5", "reason": "counted"}, {APPROVER, TREASURER}),
        ],
    )
    @pytest.mark.parametrize("group", GROUPS)
    def test_do_what_they_may_and_nothing_else(
        self, group: str, model: str, act: str, fields: dict[str, str], may: set[str]
    ) -> None:
        merchant = make_merchant(approved=False)
        fund_pool()
        client = console_of(make_staff(None, group))
        row = merchant if model == "merchant" else POOL_ID
        shown = client.get(page(model, row)).content.decode()
        assert (page(model, row, act) in shown) == (group in may)
        assert do(client, model, row, act, **fields).status_code == (302 if group in may else 403)

    @pytest.mark.parametrize("group", GROUPS)
    def test_hold_for_the_api_as_well(self, group: str) -> None:
        merchant = make_merchant(approved=False)
        api = client_of(make_staff(None, group))
        approve = {"merchant_id": merchant.pk, "credit_limit": "5.00"}
        answers = {
            "approve": api.post("/api/v1/admin/approve", approve, format="json").status_code,
            "top up": api.post("/api/v1/admin/pool/topup", {"amount": "1.00"}, format="json").status_code,
            "adjust": api.post(
                "/api/v1/admin/pool/adjustments", {"amount": "1.00", "reason": "r"}, format="json"
            ).status_code,
            "look": api.get("/api/v1/admin/pool").status_code,
        }
        both = {APPROVER, TREASURER}
        assert answers == {
            "approve": 200 if group == APPROVER else 403,
            "top up": 200 if group == TREASURER else 403,
            "adjust": 202 if group in both else 403,
            "look": 200,
        }

    def test_are_given_by_the_command_and_told_in_the_audit(self) -> None:
        make_groups()
        call_command("staff", "add", "vera", "--group", VIEWER, stdout=io.StringIO())
        vera = User.objects.get(username="vera")
        call_command("staff", "groups", "vera", "--group", AUDITOR, "--group", APPROVER, stdout=io.StringIO())
        assert set(vera.groups.values_list("name", flat=True)) == {AUDITOR, APPROVER}
        entries = AuditEntry.objects.filter(user_id=vera.pk, action__contains="group").order_by("pk")
        told = [(entry.action, entry.detail["group"]) for entry in entries]
        assert told[0] == ("staff_joined_group", VIEWER)
        assert ("staff_left_group", VIEWER) in told
        assert {name for action, name in told[1:] if action == "staff_joined_group"} == {AUDITOR, APPROVER}
        with pytest.raises(CommandError, match="invalid choice: 'king'"):
            call_command("staff", "add", "ken", "--group", "king")

    def test_see_on_pages_what_their_lists_would_show_and_no_more(self) -> None:
        merchant = make_merchant()
        funder = make_staff(None, TREASURER)
        assert do(console_of(funder), "creditpool", make_pool(), "top-up", amount="77.00").status_code == 302
        withdrawal = unknown_withdrawal(merchant)
        fields = {"outcome": "paid", "evidence": "seen on the statement", "bank_reference": "TX-1"}
        assert do(console_of(funder), "withdrawal", withdrawal, "outcome", **fields).status_code == 302
        viewer, auditor = (console_of(make_staff(None, group)) for group in (VIEWER, AUDITOR))
        for url, told in (
            (page("creditpool", POOL_ID), funder.username),
            (page("withdrawal", withdrawal), "seen on the statement"),
        ):
            shown = [told in client.get(url).content.decode() for client in (viewer, auditor)]
            assert shown == [False, True], url
