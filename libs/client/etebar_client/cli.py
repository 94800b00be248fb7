"""`etebar`: what merchants and staff ask from a terminal."""

import argparse
import calendar
import re
import sys
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import httpx2

from etebar_client import merchants, sessions, staff
from etebar_client.credentials import NotLoggedIn
from etebar_client.errors import NoAnswer, Refused
from etebar_client.exchange import KEY
from etebar_client.exit_codes import INTERRUPTED, REFUSED, UNKNOWN

STATES = ("pending", "settled", "failed")
Run = Callable[[argparse.Namespace], int | None]


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 for a refusal or a failed withdrawal, 2 for wrong arguments, 3 when the end is not known: ask again; 130."""
    given = _parser().parse_args(arguments)
    try:
        return given.run(given) or 0
    except Refused as refused:
        return _failed(f"{refused.detail} ({refused.code}, {refused.status})", REFUSED)
    except (NoAnswer, httpx2.RequestError) as unknown:
        return _failed(f"not known: {unknown}", UNKNOWN)
    except (NotLoggedIn, OSError) as error:
        return _failed(str(error), REFUSED)
    except EOFError:
        return _failed("nothing was typed", REFUSED)
    except KeyboardInterrupt:
        return _failed("interrupted; what was asked may have been done", INTERRUPTED)


def _failed(why: str, code: int) -> int:
    sys.stderr.write(f"etebar: {why}\n")
    return code


def amount(text: str) -> Decimal:
    """A positive amount of at most two places; raises ArgumentTypeError."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal(0)
    if not re.fullmatch(r"[0-9]+([.][0-9]{1,2})?", text) or found <= 0:
        raise argparse.ArgumentTypeError(f"expected an amount such as 12.50, not {text!r}")
    return found


def days(text: str) -> tuple[date, date]:
    """The first and the last of a month, a day or days; raises ArgumentTypeError."""
    wrong = argparse.ArgumentTypeError(
        f"expected a month such as 2026-11, a day such as 2026-11-05, or 2026-11-05:2026-12-04, not {text!r}"
    )
    is_month = re.fullmatch("[0-9]{4}-[0-9]{2}", text)
    if not is_month and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}(:[0-9]{4}-[0-9]{2}-[0-9]{2})?", text):
        raise wrong
    try:
        if is_month:
            first = date.fromisoformat(f"{text}-01")
            return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])
        begins, _, ends = text.partition(":")
        return date.fromisoformat(begins), date.fromisoformat(ends or begins)
    except ValueError as error:
        raise wrong from error


def key(text: str) -> str:
    """An Idempotency-Key; raises ArgumentTypeError."""
    if not KEY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"expected the key that was printed, not {text!r}")
    return text


def seconds(text: str) -> float:
    """How long, no less than nothing; raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,9}([.][0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"expected seconds such as 60, not {text!r}")
    return float(text)


def count(text: str) -> int:
    """How many, at least one; raises ArgumentTypeError."""
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a number such as 20, not {text!r}")
    return int(text)


def statement_file(text: str) -> Path:
    """A file that a statement may be written into; raises ArgumentTypeError."""
    path = Path(text)
    if path.suffix.lower() not in (".pdf", ".csv"):
        raise argparse.ArgumentTypeError(f"expected a file that ends with .pdf or .csv, not {text!r}")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar", description="Etebar from a terminal, for merchants and staff.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = _adding(commands)
    logging_in = add("login", sessions.log_in, "log in; no password is kept")
    logging_in.add_argument("--url", type=sessions.address, required=True, help="such as https://pay.example")
    logging_in.add_argument("--username")
    logging_in.add_argument("--staff", action="store_true", help="as staff")
    logging_out = add("logout", sessions.log_out, "revoke this machine's API key, and forget who was logged in")
    logging_out.add_argument("--forget", action="store_true", help="without the password: the key stays good")
    add("account", merchants.account, "limit, used, available")
    withdrawing = add("withdraw", merchants.withdraw, "withdraw an amount, and wait for its end")
    withdrawing.add_argument("amount", type=amount)
    withdrawing.add_argument("--key", type=key, help="ask again for what was asked with it")
    withdrawing.add_argument("--wait", type=seconds, default=60.0, help="seconds (60)")
    listing = add("withdrawals", merchants.withdrawals, "the last ones")
    listing.add_argument("--state", choices=STATES)
    listing.add_argument("--most", type=count, default=20, help="how many (20)")
    watching = add("watch", merchants.watch, "wait until withdrawals are final: those named, or all that are pending")
    watching.add_argument("ids", nargs="*", metavar="ID")
    watching.add_argument("--wait", type=seconds, default=600.0, help="seconds for all of them (600)")
    stating = add("statement", merchants.statement, "the statement of a month, or of any days")
    stating.add_argument("days", type=days, help="such as 2026-11, 2026-11-05 or 2026-11-05:2026-12-04")
    stating.add_argument("--file", type=statement_file, help="write it into this .pdf or .csv instead")
    stating.add_argument("--language", choices=("en", "fa"), default="en", help="of the .pdf (en)")
    _add_staff(add("staff", lambda _: None, "what staff do"))
    return parser


def _add_staff(parser: argparse.ArgumentParser) -> None:
    add = _adding(parser.add_subparsers(required=True, metavar="COMMAND"))
    listing = add("merchants", staff.merchants, "merchants, by state")
    listing.add_argument("--state", choices=("pending", "approved", "refused", "suspended", "closed"))
    listing.add_argument("--most", type=count, default=100, help="how many (100)")
    approving = add("approve", staff.approve, "approve a merchant")
    approving.add_argument("merchant_id", type=int)
    approving.add_argument("limit", type=amount)
    asking = add("requests", staff.requests, "what takes two people, by state, with what there is to decide by")
    asking.add_argument("--state", choices=("requested", "approved", "refused", "withdrawn"), default="requested")
    asking.add_argument("--most", type=count, default=20, help="how many (20)")
    deciding = add("decide", staff.decide, "decide what somebody else has asked for")
    deciding.add_argument("decision", choices=("approve", "refuse"))
    deciding.add_argument("approval_id", type=uuid.UUID)
    deciding.add_argument("--reason", help="for the audit")
    add("pool", staff.pool, "what the pool has")
    funding = add("top-up", staff.top_up, "put money into the pool")
    funding.add_argument("amount", type=amount)
    funding.add_argument("--key", type=key, help="ask again for what was asked with it")


def _adding(commands: Any) -> Callable[..., argparse.ArgumentParser]:
    def add(name: str, run: Run, says: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
        made.set_defaults(run=run)
        return made

    return add


if __name__ == "__main__":
    raise SystemExit(main())
