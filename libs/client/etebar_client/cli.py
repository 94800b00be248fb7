"""`etebar`: what merchants and staff ask from a terminal."""

import argparse
import getpass
import platform
import re
import sys
import uuid
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from etebar_client.credentials import SCOPES, Credentials, NotLoggedIn, logged_in, save, tokens_of
from etebar_client.errors import NoAnswer, Refused
from etebar_client.models import Withdrawal
from etebar_client.synchronous import Etebar

out = Console()
STATES = ("pending", "settled", "failed")


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 for a refusal, 2 for wrong arguments, 3 when nothing is known: ask again."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except Refused as refused:
        return _failed(f"{refused.detail} ({refused.code}, {refused.status})", 1)
    except (NoAnswer, httpx2.TransportError) as unknown:
        return _failed(f"not known: {unknown}", 3)
    except NotLoggedIn as error:
        return _failed(str(error), 1)
    return 0


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"etebar: {why}\n")
    return code


def log_in(given: argparse.Namespace) -> None:
    """A merchant gets an API key of its own for this machine, so that no password is kept; staff a refresh token."""
    username = given.username or input("Username: ")
    body = {"username": username, "password": getpass.getpass()}
    try:
        tokens = tokens_of(given.url, "/auth/token", body)
    except Refused as refused:
        if refused.code != "otp_needed":
            raise
        tokens = tokens_of(given.url, "/auth/token", body | {"otp": input("Code of the second factor: ")})
    if given.staff:
        made = Credentials(given.url, username, refresh=tokens["refresh"])
    else:
        with Etebar(given.url, api_key=tokens["access"]) as etebar:
            key = etebar.post("/api-keys", {"name": f"etebar on {platform.node()}"[:100], "scopes": SCOPES})
        made = Credentials(given.url, username, api_key=key["key"])
    out.print(f"logged in as {username}; kept in {save(made)}", soft_wrap=True)


def account(_: argparse.Namespace) -> None:
    with logged_in() as etebar:
        found = etebar.account()
    _table(
        ("merchant", "state", "limit", "used", "available"),
        [(found.username, found.state, found.credit_limit, found.used, found.available)],
    )


def withdraw(given: argparse.Namespace) -> None:
    key = given.key or str(uuid.uuid4())
    # said before it is asked: whoever is cut off asks again with it
    out.print(f"key {key}", soft_wrap=True)
    with logged_in() as etebar, out.status("the bank is asked"):
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
        with Progress(*columns, console=out) as progress:
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
            out.print(f"{given.file}: {len(content):,} bytes")
            return
        found = etebar.statement(year, month).members
    rows = [(each["created_at"], each["kind"], each["amount"], each["balance_after"]) for each in found["entries"]]
    out.print(f"opening: used {found['opening']['used']}")
    _table(("when", "what", "amount", "used after"), rows)
    out.print(f"closing: used {found['closing']['used']}")


def staff_merchants(given: argparse.Namespace) -> None:
    with logged_in() as etebar:
        page = etebar.get("/admin/merchants", **({"state": given.state} if given.state else {}))
    members = ("merchant_id", "username", "state", "requested_credit", "credit_limit", "utilized_amount")
    _table(members, [[each[name] for name in members] for each in page["results"]])


def staff_approve(given: argparse.Namespace) -> None:
    with logged_in() as etebar:
        body = {"merchant_id": given.merchant_id, "credit_limit": str(given.limit)}
        found = etebar.post("/admin/approve", body)
    waits = found.get("approval_request")
    out.print("a second person must approve it" if waits else f"{found['username']} is {found['state']}")


def staff_requests(given: argparse.Namespace) -> None:
    with logged_in() as etebar:
        page = etebar.get("/admin/approvals", state=given.state)
    members = ("approval_id", "kind", "merchant_id", "amount", "credit_limit", "outcome", "requested_for", "reason")
    _table(members, [[each[name] for name in members] for each in page["results"]])


def staff_decide(given: argparse.Namespace) -> None:
    body = {"approval_id": str(given.approval_id), **({"reason": given.reason} if given.reason else {})}
    with logged_in() as etebar:
        found = etebar.post(f"/admin/approvals/{given.decision}", body)
    out.print(f"the request is {found['state']}")


def staff_pool(_: argparse.Namespace) -> None:
    with logged_in() as etebar:
        out.print(f"available: {etebar.get('/admin/pool')['available_amount']}")


def staff_top_up(given: argparse.Namespace) -> None:
    key = given.key or str(uuid.uuid4())
    # before anything is sent: who loses the answer asks again with it, and no money comes twice
    out.print(f"key {key}", soft_wrap=True)
    with logged_in() as etebar:
        found = etebar.post("/admin/pool/topup", {"amount": str(given.amount)}, key=key)
    out.print(f"available: {found['available_amount']}")


def _show(found: Iterable[Withdrawal]) -> None:
    rows = [(each.created_at.isoformat(timespec="seconds"), each.id, each.amount, each.state) for each in found]
    _table(("when", "withdrawal", "amount", "state"), rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if each is None else str(each) for each in row))
    out.print(table)


def amount(text: str) -> Decimal:
    """A positive amount of at most two places; raises ArgumentTypeError."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(0)
    if not re.fullmatch(r"[0-9]+([.][0-9]{1,2})?", text) or found <= 0:
        raise argparse.ArgumentTypeError(f"expected an amount such as 12.50, not {text!r}")
    return found


def month(text: str) -> tuple[int, int]:
    """Year and month; raises ArgumentTypeError."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a month such as 2026-11, not {text!r}")
    return int(found[1]), int(found[2])


def statement_file(text: str) -> Path:
    """A file that a statement may be written into; raises ArgumentTypeError."""
    path = Path(text)
    if path.suffix not in (".pdf", ".csv"):
        raise argparse.ArgumentTypeError(f"expected a file that ends with .pdf or .csv, not {text!r}")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar", description="Etebar from a terminal, for merchants and staff.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = _adding(commands)
    logging_in = add("login", log_in, "log in; no password is kept")
    logging_in.add_argument("--url", required=True, help="such as https://pay.example")
    logging_in.add_argument("--username")
    logging_in.add_argument("--staff", action="store_true", help="as staff")
    add("account", account, "limit, used, available")
    withdrawing = add("withdraw", withdraw, "withdraw an amount, and wait for its end")
    withdrawing.add_argument("amount", type=amount)
    withdrawing.add_argument("--key", help="ask again for what was asked with it")
    withdrawing.add_argument("--wait", type=float, default=60.0, help="seconds (60)")
    listing = add("withdrawals", withdrawals, "the last ones")
    listing.add_argument("--state", choices=STATES)
    listing.add_argument("--most", type=int, default=20, help="how many (20)")
    watching = add("watch", watch, "wait until withdrawals are final: those named, or all that are pending")
    watching.add_argument("ids", nargs="*", metavar="ID")
    watching.add_argument("--wait", type=float, default=600.0, help="seconds for each (600)")
    stating = add("statement", statement, "a month's statement")
    stating.add_argument("month", type=month, help="such as 2026-11")
    stating.add_argument("--file", type=statement_file, help="write it into this .pdf or .csv instead")
    stating.add_argument("--language", choices=("en", "fa"), default="en", help="of the .pdf (en)")
    _add_staff(add("staff", lambda _: None, "what staff do"))
    return parser


def _add_staff(parser: argparse.ArgumentParser) -> None:
    add = _adding(parser.add_subparsers(required=True, metavar="COMMAND"))
    states = ("pending", "approved", "refused", "suspended", "closed")
    add("merchants", staff_merchants, "merchants, by state").add_argument("--state", choices=states)
    approving = add("approve", staff_approve, "approve a merchant")
    approving.add_argument("merchant_id", type=int)
    approving.add_argument("limit", type=amount)
    asking = add("requests", staff_requests, "what takes two people, by state")
    asking.add_argument("--state", choices=("requested", "approved", "refused", "withdrawn"), default="requested")
    deciding = add("decide", staff_decide, "decide what somebody else has asked for")
    deciding.add_argument("decision", choices=("approve", "refuse"))
    deciding.add_argument("approval_id", type=uuid.UUID)
    deciding.add_argument("--reason", help="for the audit")
    add("pool", staff_pool, "what the pool has")
    funding = add("top-up", staff_top_up, "put money into the pool")
    funding.add_argument("amount", type=amount)
    funding.add_argument("--key", help="ask again for what was asked with it")


def _adding(commands: Any) -> Callable[..., argparse.ArgumentParser]:
    def add(name: str, run: Callable[[argparse.Namespace], None], says: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
        made.set_defaults(run=run)
        return made

    return add


if __name__ == "__main__":
    raise SystemExit(main())
