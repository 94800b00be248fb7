"""What a merchant does with `etebar`."""

import argparse
import uuid
from collections.abc import Iterable
from itertools import islice

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from etebar_client import printing
from etebar_client.credentials import logged_in
from etebar_client.models import Withdrawal
from etebar_client.printing import moment, say, show_rows


def account(_: argparse.Namespace) -> None:
    with logged_in() as etebar:
        found = etebar.account()
    row = (found.username, found.state, found.credit_limit, found.used, found.available)
    show_rows(("merchant", "state", "limit", "used", "available"), [row])


def withdraw(given: argparse.Namespace) -> None:
    key = given.key or str(uuid.uuid4())
    # said before it is asked: whoever is cut off asks again with it
    say(f"key {key}")
    with logged_in() as etebar, printing.out.status("the bank is asked"):
        made = etebar.withdraw(given.amount, key=key, wait_seconds=given.wait)
    _show([made])


def withdrawals(given: argparse.Namespace) -> None:
    with logged_in() as etebar:
        filters = {"state": given.state} if given.state else {}
        _show(islice(etebar.withdrawals(**filters), given.most))


def watch(given: argparse.Namespace) -> None:
    """Until each is final."""
    with logged_in() as etebar:
        chosen = given.ids or [each.id for each in etebar.withdrawals(state="pending")]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        ended = []
        with Progress(*columns, console=printing.out) as progress:
            task = progress.add_task("final", total=len(chosen))
            for each in chosen:
                ended.append(etebar.wait(each, given.wait))
                progress.advance(task)
    _show(ended)


def statement(given: argparse.Namespace) -> None:
    year, month = given.month
    with logged_in() as etebar:
        if given.file:
            content = etebar.statement_file(year, month, given.file.suffix.removeprefix("."), given.language)
            given.file.write_bytes(content)
            say(f"{given.file}: {len(content):,} bytes")
            return
        found = etebar.statement(year, month).members
    rows = [(each["created_at"], each["kind"], each["amount"], each["balance_after"]) for each in found["entries"]]
    say(f"opening: used {found['opening']['used']}")
    show_rows(("when", "what", "amount", "used after"), rows)
    say(f"closing: used {found['closing']['used']}")


def _show(found: Iterable[Withdrawal]) -> None:
    rows = [(moment(each.created_at), each.id, each.amount, each.state) for each in found]
    show_rows(("when", "withdrawal", "amount", "state"), rows)
