"""`etebar`: what merchants and staff ask from a terminal."""

import argparse
import re
import sys
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import httpx2

from etebar_client import merchants, sessions, staff
from etebar_client.credentials import NotLoggedIn
from etebar_client.errors import NoAnswer, Refused

STATES = ("pending", "settled", "failed")
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 for a refusal, 2 for wrong arguments, 3 when nothing is known: ask again; 130 when it was interrupted."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except Refused as refused:
        return _failed(f"{refused.detail} ({refused.code}, {refused.status})", 1)
    except (NoAnswer, httpx2.TransportError) as unknown:
        return _failed(f"not known: {unknown}", 3)
    except (NotLoggedIn, OSError) as error:
        return _failed(str(error), 1)
    except EOFError:
        return _failed("nothing was typed", 1)
    except KeyboardInterrupt:
        return _failed("interrupted; what was asked may have been done", INTERRUPTED)
    return 0


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


def month(text: str) -> tuple[int, int]:
    """Year and month; raises ArgumentTypeError."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a month such as 2026-11, not {text!r}")
    return int(found[1]), int(found[2])


def count(text: str) -> int:
    """How many, at least one; raises ArgumentTypeError."""
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a number such as 20, not {text!r}")
    return int(text)


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
    logging_in = add("login", sessions.log_in, "log in; no password is kept")
    logging_in.add_argument("--url", type=sessions.address, required=True, help="such as https://pay.example")
    logging_in.add_argument("--username")
    logging_in.add_argument("--staff", action="store_true", help="as staff")
    logging_out = add("logout", sessions.log_out, "revoke this machine's API key, and forget who was logged in")
    logging_out.add_argument("--forget", action="store_true", help="without the password: the key stays good")
    add("account", merchants.account, "limit, used, available")
    withdrawing = add("withdraw", merchants.withdraw, "withdraw an amount, and wait for its end")
    withdrawing.add_argument("amount", type=amount)
    withdrawing.add_argument("--key", help="ask again for what was asked with it")
    withdrawing.add_argument("--wait", type=float, default=60.0, help="seconds (60)")
    listing = add("withdrawals", merchants.withdrawals, "the last ones")
    listing.add_argument("--state", choices=STATES)
    listing.add_argument("--most", type=count, default=20, help="how many (20)")
    watching = add("watch", merchants.watch, "wait until withdrawals are final: those named, or all that are pending")
    watching.add_argument("ids", nargs="*", metavar="ID")
    watching.add_argument("--wait", type=float, default=600.0, help="seconds for each (600)")
    stating = add("statement", merchants.statement, "a month's statement")
    stating.add_argument("month", type=month, help="such as 2026-11")
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
    funding.add_argument("--key", help="ask again for what was asked with it")


def _adding(commands: Any) -> Callable[..., argparse.ArgumentParser]:
    def add(name: str, run: Callable[[argparse.Namespace], None], says: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
        made.set_defaults(run=run)
        return made

    return add


if __name__ == "__main__":
    raise SystemExit(main())
