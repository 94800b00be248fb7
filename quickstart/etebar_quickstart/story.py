"""The demo's story: a merchant from registration to a settled withdrawal, each claim checked as it is made."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from etebar_quickstart.admin import ADMIN, ensure_admin
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer
from etebar_quickstart.stack import Stack
from etebar_quickstart.story_client import StoryClient

LIMIT, TOP_UP, AMOUNT, TOO_MUCH = "1000.00", "10000.00", "100.00", "5000.00"
ACCOUNT = "IRTEST0000000000001"


class Story:
    """Told against a stack whose services run; raises QuickstartError at the first thing that does not hold."""

    def __init__(self, stack: Stack, printer: Printer) -> None:
        self._stack = stack
        self._printer = printer
        self._client = StoryClient(printer)
        self._api = f"{stack.environments.core_url}/api/v1"
        self._settlement = f"{stack.environments.settlement_url}/api/settlement"
        # A new merchant each time, so that the story can be told again on the same state.
        self._merchant = f"shop-{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S}"
        self._password = "p"  # noqa: S105 - the sandbox profile takes it

    def tell(self) -> None:
        try:
            admin = self._admin_signs_in()
            self._pool_is_topped_up(admin)
            merchant = self._merchant_joins(admin)
            before = self._balances(merchant, admin)
            self._withdrawal_settles_once(merchant)
            self._too_much_is_refused(merchant)
            self._settlement_refuses_strangers()
            self._compare(before, self._balances(merchant, admin))
            self._books_are_right()
        finally:
            self._client.close()

    def _admin_signs_in(self) -> dict[str, str]:
        self._client.step("The admin signs in")
        try:
            is_new = ensure_admin(self._stack)
        except QuickstartError as error:
            raise self._client.failed(str(error), *error.details) from error
        if is_new:
            self._printer.held(f"manage.py createsuperuser made {ADMIN!r}")
        return self._sign_in(ADMIN, self._stack.environments.secrets.admin_password)

    def _pool_is_topped_up(self, admin: dict[str, str]) -> None:
        self._client.step("The shared credit pool is topped up")
        before = self._pool(admin)
        url = f"{self._api}/admin/pool/topup"
        self._client.send("POST", url, {"amount": TOP_UP}, expect=200, show=("available_amount",), headers=admin)
        self._client.check(f"the pool has {TOP_UP} more", holds=self._pool(admin) - before == Decimal(TOP_UP))

    def _merchant_joins(self, admin: dict[str, str]) -> dict[str, str]:
        self._client.step("A merchant registers and is approved")
        request = {"username": self._merchant, "password": self._password}
        wish = {"requested_credit": LIMIT, "bank_account": ACCOUNT}
        registered = self._client.send(
            "POST", f"{self._api}/auth/register", request | wish, expect=201, show=("merchant_id", "state")
        )
        approval = {"merchant_id": registered.body["merchant_id"], "credit_limit": LIMIT}
        show = ("merchant_id", "state", "credit_limit")
        self._client.send("POST", f"{self._api}/admin/approve", approval, expect=200, show=show, headers=admin)
        return self._sign_in(self._merchant, self._password)

    def _withdrawal_settles_once(self, merchant: dict[str, str]) -> None:
        self._client.step(f"The merchant withdraws {AMOUNT}")
        headers = merchant | {"Idempotency-Key": str(uuid.uuid4())}
        url, show = f"{self._api}/withdrawals", ("id", "state", "amount")
        first = self._client.send("POST", url, {"amount": AMOUNT}, expect=201, show=show, headers=headers)
        self._client.check("it is settled: the bank has paid", holds=first.body.get("state") == "settled")
        self._client.step("The same request with the same key: replayed, nothing moves")
        again = self._client.send("POST", url, {"amount": AMOUNT}, expect=201, show=show, headers=headers)
        self._client.check("it says that it was replayed", holds=again.headers.get("Idempotency-Replayed") == "true")
        self._client.check("it is the same answer, byte for byte", holds=again.raw == first.raw)

    def _too_much_is_refused(self, merchant: dict[str, str]) -> None:
        self._client.step(f"A withdrawal of {TOO_MUCH} is refused")
        headers = merchant | {"Idempotency-Key": str(uuid.uuid4())}
        answer = self._client.send(
            "POST", f"{self._api}/withdrawals", {"amount": TOO_MUCH}, expect=409, headers=headers
        )
        self._client.check("for lack of credit", holds=answer.body.get("code") == "insufficient_credit")

    def _settlement_refuses_strangers(self) -> None:
        self._client.step("Settlement refuses a caller without core's token, and one with a wrong one")
        payout = {"merchant_id": 1, "account_id": str(uuid.uuid4()), "amount": "1.00", "account": ACCOUNT}
        url = f"{self._settlement}/withdraw"
        self._client.send("POST", url, payout, expect=401)
        self._client.send("POST", url, payout, expect=403, headers={"X-Internal-Token": "not-the-token"})

    def _compare(self, before: dict[str, Decimal], after: dict[str, Decimal]) -> None:
        moved = Decimal(AMOUNT)
        rows = [[name, f"{before[name]:,}", f"{after[name]:,}", f"{after[name] - before[name]:+,}"] for name in before]
        self._printer.table("Balances", ["", "before", "after", "moved"], rows)
        for name, change in (("credit limit", 0), ("used", moved), ("available", -moved), ("pool", -moved)):
            self._client.check(f"{name} moved by {change:+}", holds=after[name] - before[name] == change)

    def _books_are_right(self) -> None:
        self._client.step("The books are verified: manage.py verify_books")
        done = self._stack.manage("verify_books")
        output = (done.stdout + done.stderr).strip().splitlines()
        for line in output:
            self._printer.line(f"      {line}")
        if done.returncode:
            raise self._client.failed(f"manage.py verify_books ended with code {done.returncode}")
        self._client.check("every invariant holds", holds=bool(output))

    def _sign_in(self, username: str, password: str) -> dict[str, str]:
        credentials = {"username": username, "password": password}
        answer = self._client.send("POST", f"{self._api}/auth/token", credentials, expect=200)
        return {"Authorization": f"Bearer {answer.body['access']}"}

    def _balances(self, merchant: dict[str, str], admin: dict[str, str]) -> dict[str, Decimal]:
        self._client.step("The balances: the merchant's and the pool's")
        show = ("credit_limit", "utilized_amount", "available_credit")
        me: dict[str, Any] = self._client.send("GET", f"{self._api}/me", expect=200, show=show, headers=merchant).body
        names = {"credit limit": "credit_limit", "used": "utilized_amount", "available": "available_credit"}
        return {label: Decimal(me[member]) for label, member in names.items()} | {"pool": self._pool(admin)}

    def _pool(self, admin: dict[str, str]) -> Decimal:
        url, show = f"{self._api}/admin/pool", ("available_amount",)
        return Decimal(self._client.send("GET", url, expect=200, show=show, headers=admin).body["available_amount"])
