"""What staff do with `etebar staff`."""

import argparse
from itertools import islice
from typing import Any

from etebar_client.credentials import logged_in
from etebar_client.operations import new_key
from etebar_client.printing import say, show_each, show_rows

MERCHANTS, REQUESTS = "/admin/merchants", "/admin/approvals"


def merchants(given: argparse.Namespace) -> None:
    members = ("merchant_id", "username", "state", "requested_credit", "credit_limit", "utilized_amount")
    show_rows(members, [[each[name] for name in members] for each in _listed(MERCHANTS, given)])


def approve(given: argparse.Namespace) -> None:
    with logged_in() as etebar:
        body = {"merchant_id": given.merchant_id, "credit_limit": str(given.limit)}
        found = etebar.post("/admin/approve", body)
    waits = found.get("approval_request")
    say("a second person must approve it" if waits else f"{found['username']} is {found['state']}")


def requests(given: argparse.Namespace) -> None:
    """Each with all that there is to decide by."""
    show_each(_listed(REQUESTS, given))


def decide(given: argparse.Namespace) -> None:
    body = {"approval_id": str(given.approval_id), **({"reason": given.reason} if given.reason else {})}
    with logged_in() as etebar:
        found = etebar.post(f"{REQUESTS}/{given.decision}", body)
    say(f"the request is {found['state']}")


def pool(_: argparse.Namespace) -> None:
    with logged_in() as etebar:
        say(f"available: {etebar.get('/admin/pool')['available_amount']}")


def top_up(given: argparse.Namespace) -> None:
    key = given.key or new_key()
    # before anything is sent: who loses the answer asks again with it, and no money comes twice
    say(f"key {key}")
    with logged_in() as etebar:
        found = etebar.post("/admin/pool/topup", {"amount": str(given.amount)}, key=key)
    say(f"available: {found['available_amount']}")


def _listed(path: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    """The first of a list, as many as asked for; says so when there are more."""
    filters = {"state": given.state} if given.state else {}
    with logged_in() as etebar:
        found = list(islice(etebar.rows(path, **filters), given.most + 1))
    if len(found) > given.most:
        say(f"the last {given.most}; there are more: --most")
    return found[: given.most]
