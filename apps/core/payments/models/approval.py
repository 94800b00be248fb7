"""What one person asks for and another decides."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.formats import code
from payments.models.bank_statement import BankStatementLine
from payments.models.merchant import Merchant
from payments.models.naming import named
from payments.models.withdrawal import Withdrawal


class ApprovalRequest(models.Model):
    """What takes two people, asked for by `requested_by` and decided by somebody else; ADR 0023 has the kinds.

    `requested_for` says on whose behalf it was asked: `staff:<username>` or `operator:<namespace>/<name>`; `grounds` is
    why, `reason` what the decider said. `merchant` and `credit_limit` are of a limit, `amount` (signed) of an
    adjustment, `withdrawal`, `outcome` and `bank_reference` of an unknown outcome, `statement_line` or `withdrawal`,
    and the `facts` as they were then, of a difference to the bank's statement. The database holds that the two people
    differ, that a decision is final, and which members a kind has.
    """

    class Kind(models.TextChoices):
        CREDIT_LIMIT = "credit_limit"
        POOL_ADJUSTMENT = "pool_adjustment"
        UNKNOWN_OUTCOME = "unknown_outcome"
        STATEMENT_DIFFERENCE = "statement_difference"

    class Outcome(models.TextChoices):
        PAID = "paid"
        REFUSED = "refused"

    class State(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, null=True, related_name="approval_requests")
    # 0 and not null for other kinds: the version before shows it in every list (ADR 0015)
    credit_limit = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    amount = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    withdrawal = models.ForeignKey(
        Withdrawal, on_delete=models.PROTECT, null=True, related_name="approval_requests", db_constraint=False
    )
    statement_line = models.ForeignKey(
        BankStatementLine, on_delete=models.PROTECT, null=True, related_name="approval_requests"
    )
    outcome = models.CharField(max_length=7, choices=Outcome.choices, default="", db_default="")
    bank_reference = models.CharField(max_length=140, default="", db_default="")
    grounds = models.CharField(max_length=1000, default="", db_default="")
    facts = models.CharField(max_length=100, default="", db_default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_for = models.CharField(max_length=400)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("request that takes two people"), _("requests that take two people")
        permissions: ClassVar = [
            ("ask_approvalrequest", "Can ask for what takes two people"),
            ("decide_approvalrequest", "Can decide what somebody else asked for"),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "created_at", "id"], name="approval_by_state")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="credit_limit", merchant__isnull=False, amount=None, withdrawal=None, outcome="")
                # no merchant: the version before takes whatever has one for a limit
                | Q(kind="pool_adjustment", merchant=None, credit_limit=0, withdrawal=None, outcome="")
                & Q(amount__isnull=False)
                & ~Q(amount=0)
                & ~Q(grounds="")
                | Q(kind="unknown_outcome", merchant=None, credit_limit=0, amount=None, withdrawal__isnull=False)
                & Q(outcome__in=["paid", "refused"])
                & ~Q(grounds="")
                | Q(kind="statement_difference", merchant=None, credit_limit=0, amount=None, outcome="")
                & (Q(withdrawal=None, statement_line__isnull=False) | Q(withdrawal__isnull=False, statement_line=None))
                & ~Q(grounds=""),
                name="approval_kind_whole",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["approved", "refused"], decided_by__isnull=False, decided_at__isnull=False)
                | Q(state="withdrawn", decided_by__isnull=True, decided_at__isnull=False)
                | Q(state="requested", decided_by__isnull=True, decided_at__isnull=True),
                name="approval_state_whole",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")), name="approval_by_two_people"
            ),
            models.UniqueConstraint(
                fields=["merchant", "kind"], condition=Q(state="requested"), name="approval_one_open_of_merchant"
            ),
            models.UniqueConstraint(
                fields=["withdrawal", "kind"], condition=Q(state="requested"), name="approval_one_open_of_withdrawal"
            ),
            models.UniqueConstraint(
                fields=["statement_line"], condition=Q(state="requested"), name="approval_one_open_of_line"
            ),
        ]

    def __str__(self) -> str:
        about = {"kind": gettext(self.get_kind_display()), "state": gettext(self.get_state_display())}
        return gettext("%(kind)s %(id)s (%(state)s)") % {**about, "id": code(self.pk)}


class OutcomeDecision(models.Model):
    """An approved outcome of a withdrawal, for the dispatcher to carry out; one of a withdrawal for ever.

    `result` is empty until settlement has taken it: `carried_out`, or `overtaken` where settlement knew the outcome
    itself, which stands. `evidence` is what settlement keeps of it.
    """

    class Result(models.TextChoices):
        CARRIED_OUT = "carried_out"
        OVERTAKEN = "overtaken"

    approval = models.OneToOneField(
        ApprovalRequest, on_delete=models.PROTECT, primary_key=True, related_name="decision"
    )
    withdrawal = models.OneToOneField(
        Withdrawal, on_delete=models.PROTECT, related_name="decision", db_constraint=False
    )
    outcome = models.CharField(max_length=7, choices=ApprovalRequest.Outcome.choices)
    result = models.CharField(max_length=11, choices=Result.choices, default="", db_default="")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("decided outcome"), _("decided outcomes")
        indexes: ClassVar = [models.Index(fields=["created_at"], condition=Q(result=""), name="decision_to_carry_out")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(outcome__in=["paid", "refused"]), name="decision_outcome_known"),
            models.CheckConstraint(
                condition=Q(result="", ended_at=None)
                | Q(result__in=["carried_out", "overtaken"], ended_at__isnull=False),
                name="decision_result_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{named(self)} ({gettext(self.get_outcome_display())})"

    @property
    def evidence(self) -> str:
        """The reference that settlement stores with the payout."""
        return str(self.pk)
