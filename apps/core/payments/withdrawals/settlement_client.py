"""Asks settlement to pay. What is not a definite answer is an unknown outcome, never a failure."""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import urllib3

from core.environment import ENVIRONMENT
from etebar_common import logs
from payments.withdrawals.deadline_http import exchange

logger = logging.getLogger(__name__)

BATCH_PATH = "/api/settlement/withdraw/batch"
PAYOUTS_PATH = "/api/settlement/payouts"
LOOKUP_PATH = "/api/settlement/payouts/lookup"
CLEAR_PATH = "/api/settlement/sandbox/clear"
OK = 200
WRONG_REQUEST = (400, 413, 422)
# settlement answers before we stop waiting, so that slow members come back as pending and not as a broken call
ANSWER_MARGIN_SECONDS = 0.5
# for asking about the members of a refused list one by one; shorter than the dispatcher's lease
ALONE_SECONDS = 10.0


class Outcome(StrEnum):
    """What settlement said of a payout; only paid and refused are definite."""

    PAID = "paid"
    REFUSED = "refused"
    PENDING = "pending"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """What settlement is to pay, under the withdrawal's id."""

    withdrawal_id: UUID
    merchant_id: int
    account_id: UUID
    amount: Decimal
    account: str

    def body(self) -> dict[str, Any]:
        return {
            "withdrawal_id": str(self.withdrawal_id),
            "merchant_id": self.merchant_id,
            "account_id": str(self.account_id),
            "amount": str(self.amount),
            "account": self.account,
        }


@dataclass(frozen=True, slots=True)
class SettleResult:
    """`detail` is the bank's reason of a refusal, or why the outcome is not known."""

    outcome: Outcome
    detail: str = ""


class SettlementError(Exception):
    """Settlement gave no answer that can be used."""


class RequestNotTaken(SettlementError):  # noqa: N818 - a fact, not a fault of the program
    """Settlement found the request as a whole wrong (4xx) and did nothing."""


class SettlementClient:
    """One connection pool per process; safe to use from many threads."""

    def __init__(self, base_url: str, token: str, connections: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-Internal-Token": token, "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(maxsize=connections, retries=False)

    def settle(self, orders: Sequence[PayoutOrder], *, deadline_seconds: float) -> dict[UUID, SettleResult]:
        """Each order's result within the deadline. Repeating an order is safe: settlement pays an id once."""
        deadline_ms = int(max(deadline_seconds - ANSWER_MARGIN_SECONDS, deadline_seconds / 2) * 1000)
        body = {"deadline_ms": deadline_ms, "withdrawals": [order.body() for order in orders]}
        try:
            answer = self._call("POST", BATCH_PATH, body=body, timeout_seconds=deadline_seconds)
            items = {UUID(item["withdrawal_id"]): item for item in answer["results"]}
            return {order.withdrawal_id: _result(order, items.get(order.withdrawal_id)) for order in orders}
        except RequestNotTaken as error:
            if len(orders) == 1:
                return _unknown(orders, error)
            return self._settle_alone(orders, deadline_seconds)
        except (SettlementError, KeyError, TypeError, ValueError, AttributeError) as error:
            return _unknown(orders, error)

    def _settle_alone(self, orders: Sequence[PayoutOrder], deadline_seconds: float) -> dict[UUID, SettleResult]:
        """One wrong member spoils a list; alone, the others are paid. Whom the time does not reach is asked later."""
        until = time.monotonic() + ALONE_SECONDS
        results: dict[UUID, SettleResult] = {}
        for order in orders:
            if time.monotonic() < until:
                results |= self.settle([order], deadline_seconds=deadline_seconds)
            else:
                results[order.withdrawal_id] = SettleResult(Outcome.UNKNOWN, "not asked: the time was over")
        return results

    def payouts(self, *, created_from: str, created_to: str, page_size: int = 1000) -> Iterator[dict[str, Any]]:
        """All payouts that settlement made in a window, page by page; raises SettlementError."""
        cursor: str | None = None
        while True:
            fields = {"created_from": created_from, "created_to": created_to, "limit": str(page_size)}
            if cursor:
                fields["cursor"] = cursor
            page = self._call("GET", PAYOUTS_PATH, fields=fields)
            yield from page["payouts"]
            cursor = page["next_cursor"]
            if not cursor:
                return

    def lookup(self, withdrawal_ids: Sequence[UUID]) -> list[dict[str, Any]]:
        """The payouts of up to 1,000 withdrawals, of those that settlement knows; raises SettlementError."""
        body = {"withdrawal_ids": [str(withdrawal_id) for withdrawal_id in withdrawal_ids]}
        payouts: list[dict[str, Any]] = self._call("POST", LOOKUP_PATH, body=body)["payouts"]
        return payouts

    def clear_sandbox(self) -> int:
        """Clears settlement's books (sandbox profile only) and returns how many payouts there were."""
        return int(self._call("POST", CLEAR_PATH)["payouts_cleared"])

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        fields: dict[str, str] | None = None,
        timeout_seconds: float = 30.0,
    ) -> dict[str, Any]:
        started = time.monotonic()
        try:
            status, content = exchange(
                self._pool,
                method,
                self._base_url + path,
                seconds=timeout_seconds,
                headers={**self._headers, "X-Request-ID": logs.request_id.get() or "core"},
                body=json.dumps(body) if body is not None else None,
                fields=fields,
            )
            answer = json.loads(content)
        except (urllib3.exceptions.HTTPError, ValueError, OSError, RecursionError) as error:
            waited = time.monotonic() - started
            raise SettlementError(f"{method} {path}: {type(error).__name__} after {waited:.1f} s") from error
        if status != OK or not isinstance(answer, dict):
            code = answer.get("code") if isinstance(answer, dict) else None
            kind = RequestNotTaken if status in WRONG_REQUEST else SettlementError
            raise kind(f"{method} {path}: status {status}, code {code}")
        return answer


def _unknown(orders: Sequence[PayoutOrder], error: Exception) -> dict[UUID, SettleResult]:
    logger.warning("settlement's answer is unknown: %r", error)
    return {order.withdrawal_id: SettleResult(Outcome.UNKNOWN, repr(error)[:500]) for order in orders}


def _result(order: PayoutOrder, item: dict[str, Any] | None) -> SettleResult:
    """What an answer says of one order; what cannot be understood leaves this order unknown, and only this one."""
    if item is None:
        return SettleResult(Outcome.UNKNOWN, "not in settlement's answer")
    try:
        outcome = Outcome(item["state"])
        if outcome in {Outcome.PAID, Outcome.REFUSED} and not _is_of(order, item["payout"]):
            return SettleResult(Outcome.UNKNOWN, "settlement's answer names another payout or amount")
        return SettleResult(outcome, str(item.get("reason") or ""))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        return SettleResult(Outcome.UNKNOWN, f"settlement's answer is not understood: {error!r}"[:500])


def _is_of(order: PayoutOrder, payout: dict[str, Any]) -> bool:
    return UUID(payout["withdrawal_id"]) == order.withdrawal_id and Decimal(payout["amount"]) == order.amount


@cache
def settlement_client() -> SettlementClient:
    """This process's client."""
    return SettlementClient(
        ENVIRONMENT.settlement_url,
        ENVIRONMENT.internal_token.get_secret_value(),
        ENVIRONMENT.settlement_connections,
    )
