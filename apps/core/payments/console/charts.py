"""What the console draws over time: the pool's balance, and how the last withdrawals ended."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from payments.formats import moment, number
from payments.models import CreditPool, LedgerEntry, Withdrawal

POINTS = 120
TICKS = 6
RECENT = 1_000
SLICES = 30


@dataclass(frozen=True)
class Series:
    """A value per moment. `of` gives it its colour."""

    of: str
    label: str
    values: list[str]


@dataclass(frozen=True)
class Chart:
    """One picture. `kind` is one of charts.js.

    `seconds` are how far its moments are from the first, and `ticks` where the axis of time has a label; without them
    the moments are equally far apart, and all may be labels.
    """

    kind: str
    title: str
    # the same in words, for who does not see it
    summary: str
    moments: list[str]
    series: list[Series]
    seconds: Sequence[float] = ()
    ticks: Sequence[tuple[float, str]] = ()

    @property
    def points_id(self) -> str:
        return f"{self.kind}-points"

    @property
    def drawn(self) -> dict[str, object]:
        """What charts.js reads."""
        return {
            "moments": self.moments,
            "series": [asdict(each) for each in self.series],
            "seconds": self.seconds,
            "ticks": self.ticks,
        }


def balance_chart(pool: CreditPool, points: int = POINTS) -> Chart | None:
    """The pool's balance after entries that lie evenly over all that ever moved it; None before the first.

    Entries are looked up by their numbers, so that it costs the same however long the history is; each is drawn when it
    was made, so that a quiet week is longer than a busy minute.
    """
    last = pool.ledger_number
    if not last:
        return None
    numbers = {1 + round(step * (last - 1) / max(points - 1, 1)) for step in range(points)}
    entries = LedgerEntry.objects.filter(
        account=LedgerEntry.Account.POOL, account_id=pool.pk, number__in=numbers
    ).order_by("number")
    made = [entry.created_at for entry in entries]
    begin = min(made)
    return Chart(
        kind="balance",
        title=_("Available over time"),
        summary=_("The pool's balance over time"),
        moments=[moment(at, zone=False) for at in made],
        series=[Series("balance", _("available"), [str(entry.balance_after) for entry in entries])],
        seconds=[(at - begin).total_seconds() for at in made],
        ticks=_ticks(begin, max(made)),
    )


def _ticks(begin: datetime, end: datetime) -> list[tuple[float, str]]:
    """Where an axis from one moment to the other has a label, in seconds from its beginning."""
    length = end - begin
    shown = [length * nth / TICKS for nth in range(TICKS + 1)] if length else [length]
    return [(each.total_seconds(), moment(begin + each, zone=False)) for each in shown]


def outcomes_chart(recent: int = RECENT, slices: int = SLICES) -> Chart | None:
    """How many of the last withdrawals are settled, pending and failed, by when they were accepted; None without any.

    The time between the oldest and the newest of them is cut into equal slices, named by their beginnings. Only the
    last ones are read, so that it costs the same on a busy day.
    """
    rows = list(Withdrawal.objects.order_by("-created_at", "-id").values_list("created_at", "state")[:recent])
    if not rows:
        return None
    begin, end = rows[-1][0], rows[0][0]
    length = (end - begin) / slices
    cut = slices if length else 1
    counts = {state: [0] * cut for state in Withdrawal.State.values}
    for at, state in rows:
        counts[state][min(int((at - begin) / length), cut - 1) if length else 0] += 1
    figures = {state: number(sum(values)) for state, values in counts.items()}
    return Chart(
        kind="outcomes",
        title=_("The last withdrawals"),
        summary=_("%(settled)s settled, %(pending)s pending, %(failed)s failed") % figures,
        moments=[moment(begin + each * length, zone=False) for each in range(cut)],
        series=[
            Series(state, _(str(state.label)), [str(value) for value in counts[state]])
            for state in (Withdrawal.State.SETTLED, Withdrawal.State.PENDING, Withdrawal.State.FAILED)
        ],
    )
