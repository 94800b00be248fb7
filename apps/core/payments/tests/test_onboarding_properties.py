"""Whatever an object wishes and staff decide, in whatever order: what must hold after each step."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from django.test.utils import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.environment import ENVIRONMENT
from payments.approvals import services
from payments.models import ApprovalRequest, AuditEntry, Merchant, MerchantCredit
from payments.tests.factories import staff_client, unique_name
from payments.tests.operator import OBJECT, TOKEN, accept, client, put

pytestmark = [pytest.mark.usefixtures("books"), pytest.mark.urls("core.internal_urls")]

THRESHOLD = Decimal("500.00")
LIMITS = ["0.00", "400.00", "500.00", "500.01", "900.00"]
WISHES = st.fixed_dictionaries(
    {
        "credit_limit": st.sampled_from(LIMITS),
        "approved": st.booleans(),
        "suspended": st.booleans(),
        "drift_policy": st.sampled_from(["correct", "report"]),
        "password": st.sampled_from(["password-one-" + "x" * 16, "password-two-" + "x" * 16, None]),
    }
)
STAFF = st.sampled_from(["approve", "suspend", "reinstate", "credit-limit", "approvals/approve", "approvals/refuse"])
STEPS = st.lists(
    st.one_of(WISHES, st.tuples(STAFF, st.sampled_from(LIMITS)), st.just("again")), min_size=2, max_size=12
)


class Story:
    """One object and its merchant."""

    def __init__(self) -> None:
        self.operator, self.name, self.generation = client(TOKEN), unique_name("shop-"), 1
        self.wish: dict[str, Any] = {"username": self.name}
        self.suspended_by_staff = False
        # there before anything is asked for, or they might decide nothing
        self.people = itertools.cycle([staff_client(), staff_client()])
        self.keep({})

    def keep(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Core's answer to the object as it is now, whose generation rises when it wishes something else."""
        if wish:
            self.generation += 1
            self.wish |= wish | {"credentials_version": self.generation if wish["password"] else None}
        fields = {"password": OBJECT["password"], **self.wish} if self.generation == 1 else self.wish
        answer = put(self.operator, f"team-a/{self.name}", **{**fields, "generation": self.generation})
        assert answer.status_code == 200, answer.content
        members: dict[str, Any] = answer.json()
        return members

    @property
    def merchant(self) -> Merchant:
        return Merchant.objects.get(user__username=self.name)

    @property
    def limit(self) -> Decimal | None:
        return MerchantCredit.objects.filter(merchant=self.merchant).values_list("credit_limit", flat=True).first()

    def staff(self, act: str, limit: str) -> None:
        """One of two members of staff, by turns, does it as far as it can be done."""
        merchant = self.merchant
        fields: dict[str, Any] = {"merchant_id": merchant.pk}
        if act in {"approve", "credit-limit"}:
            fields["credit_limit"] = limit
        if act.startswith("approvals/"):
            asked = services.open_request(merchant)
            if asked is None:
                return
            fields = {"approval_id": str(asked.pk)}
        with override_settings(ROOT_URLCONF="core.urls"):
            done = next(self.people).post(f"/api/v1/admin/{act}", fields, format="json").status_code == 200
        if done and act in {"suspend", "reinstate"}:
            self.suspended_by_staff = act == "suspend"

    def check(self) -> None:
        self.check_two_people()
        # what staff stopped, an object does not start
        if self.suspended_by_staff:
            assert self.merchant.state == Merchant.State.SUSPENDED
        # the same wish again finds nothing to do once it has been fulfilled
        self.keep({})
        before = AuditEntry.objects.count()
        assert self.keep({}) == self.keep({})
        assert AuditEntry.objects.count() == before

    def check_two_people(self) -> None:
        """A limit above the threshold is in force only after somebody else approved it, or a higher one."""
        limit = self.limit
        if limit is not None and limit > THRESHOLD:
            approved = ApprovalRequest.objects.filter(merchant=self.merchant, state="approved", credit_limit__gte=limit)
            assert all(each.decided_by_id != each.requested_by_id for each in approved)
            assert approved.exists()


@given(steps=STEPS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_holds(steps: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        accept(patch, TOKEN)
        limited = ENVIRONMENT.model_copy(update={"credit_limit_approval_threshold": THRESHOLD})
        patch.setattr(services, "ENVIRONMENT", limited)
        story = Story()
        for step in steps:
            if isinstance(step, tuple):
                story.staff(*step)
            else:
                story.keep({} if step == "again" else step)
            story.check()
