"""What a merchant does with `etebar`."""

import argparse
import time
from collections.abc import Iterable
from itertools import islice

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from etebar_client import printing
from etebar_client.credentials import logged_in
from etebar_client.errors import NoAnswer
from etebar_client.exit_codes import REFUSED, UNKNOWN
from etebar_client.models import Withdrawal
from etebar_client.operations import new_key
from etebar_client.printing import moment, say, show_rows
from etebar_client.synchronous import Etebar


def account(_: argparse.Namespace) -> None:
    with logged_in() as etebar:
        found = etebar.account()
    row = (found.username, found.state, found.credit_limit, found.used, found.available)
    show_rows(("merchant", "state", "limit", "used", "available"), [row])


def withdraw(given: argparse.Namespace) -> int:
    key = given.key or new_key()
    # said before it is asked: whoever is cut off asks again with it
    say(f"key {key}")
    with logged_in() as etebar, printing.out.status("the bank is asked"):
        made = etebar.withdraw(given.amount, key=key, wait_seconds=given.wait)
    _show([made])
    return _code_of([made])


def withdrawals(given: argparse.Namespace) -> None:
    with logged_in() as etebar:
        filters = {"state": given.state} if given.state else {}
        _show(islice(etebar.withdrawals(**filters), given.most))


def watch(given: argparse.Namespace) -> int:
    """Until each is final, or the time is over."""
    ends, seen = time.monotonic() + given.wait, []
    with logged_in() as etebar:
        chosen = given.ids or [each.id for each in etebar.withdrawals(state="pending")]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        try:
            with Progress(*columns, console=printing.out) as progress:
                task = progress.add_task("final", total=len(chosen))
                for each in chosen:
                    seen.append(_looked_at(etebar, each, ends - time.monotonic()))
                    progress.advance(task)
        finally:
            # also of those before one that is refused
            _show(seen)
    return _code_of(seen)


def statement(given: argparse.Namespace) -> None:
    first, last = given.days
    with logged_in() as etebar:
        if given.file:
            form = given.file.suffix.removeprefix(".").lower()
            content = etebar.statement_file_between(first, last, form, given.language)
            given.file.write_bytes(content)
            say(f"{given.file}: {len(content):,} bytes")
            return
        found = etebar.statement_between(first, last).members
    rows = [(each["created_at"], each["kind"], each["amount"], each["balance_after"]) for each in found["entries"]]
    for each in found["limits"]:
        say(f"limit: {each['credit_limit']} from {each['at']}")
    say(f"opening: used {found['opening']['used']}")
    show_rows(("when", "what", "amount", "used after"), rows)
    say(f"closing: used {found['closing']['used']}")


def _looked_at(etebar: Etebar, withdrawal_id: str, seconds: float) -> Withdrawal:
    """When it is final, or as it is when the time is over."""
    try:
        return etebar.wait(withdrawal_id, max(0.0, seconds))
    except NoAnswer:
        return etebar.withdrawal(withdrawal_id)


def _code_of(found: Iterable[Withdrawal]) -> int:
    """3 when the end of any is not known, 1 when any has failed."""
    states = {each.state for each in found}
    return UNKNOWN if "pending" in states else REFUSED if "failed" in states else 0


def _show(found: Iterable[Withdrawal]) -> None:
    rows = [(moment(each.created_at), each.id, each.amount, each.state) for each in found]
    show_rows(("when", "withdrawal", "amount", "state"), rows)
