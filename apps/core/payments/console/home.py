"""The console's first page: what waits for somebody, and how it goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext as _

from payments.console.charts import Chart, balance_chart, outcomes_chart
from payments.formats import moment, money, number
from payments.models import POOL_ID, ApprovalRequest, BooksCheck, CreditPool, Merchant, Withdrawal


@dataclass(frozen=True)
class Line:
    """One thing to look at, and where."""

    label: str
    url: str
    figure: str


def waiting(user: AbstractUser | AnonymousUser) -> Iterator[Line]:
    """The lines of what the account may view."""
    if user.has_perm("payments.view_merchant"):
        count = Merchant.objects.filter(state=Merchant.State.PENDING).count()
        yield Line(_("Merchants to approve"), _list("merchant", "state__exact=pending"), number(count))
    if user.has_perms(("payments.view_approvalrequest", "payments.decide_approvalrequest")):
        asked = ApprovalRequest.objects.filter(state=ApprovalRequest.State.REQUESTED)
        others = asked.exclude(requested_by_id=user.pk).count()
        url = _list("approvalrequest", "state__exact=requested")
        yield Line(_("Requests that you may decide"), url, number(others))
    if user.has_perm("payments.view_withdrawal"):
        overdue = Withdrawal.objects.filter(state=Withdrawal.State.PENDING, overdue_since__isnull=False)
        url = _list("withdrawal", "state__exact=pending&overdue_since__isempty=0")
        yield Line(_("Withdrawals whose outcome is not known"), url, number(overdue.count()))
    if user.has_perm("payments.view_creditpool"):
        url = reverse("admin:payments_creditpool_change", args=[POOL_ID])
        yield Line(_("Available in the pool"), url, money(Decimal(_pool().available_amount)))
    if user.has_perm("payments.view_bookscheck"):
        yield _books()


def charts(user: AbstractUser | AnonymousUser) -> Iterator[Chart]:
    """The pictures of what the account may view and there is something of."""
    if user.has_perm("payments.view_withdrawal") and (outcomes := outcomes_chart()):
        yield outcomes
    if user.has_perm("payments.view_creditpool") and (balance := balance_chart(_pool())):
        yield balance


def _pool() -> CreditPool:
    return CreditPool.objects.filter(pk=POOL_ID).first() or CreditPool(pk=POOL_ID)


def _books() -> Line:
    last = BooksCheck.objects.order_by("-pk").first()
    if last is None:
        told = _("not compared yet")
    elif last.differences:
        told = _("they differ in %(count)s places") % {"count": number(len(last.differences))}
    else:
        told = _("they agree, %(when)s") % {"when": moment(last.finished_at)}
    return Line(_("The books"), _list("bookscheck", ""), told)


def _list(model: str, query: str) -> str:
    return f"{reverse(f'admin:payments_{model}_changelist')}?{query}"
