"""Asks settlement to pay. What is not a definite answer is an unknown outcome, never a failure."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import urllib3

from core import metrics
from core.environment import ENVIRONMENT
from etebar_common import logs, tracing
from etebar_common.problems import PayoutConflict
from payments.withdrawals.deadline_http import answering, connection_pool, exchange, whole_lines

logger = logging.getLogger(__name__)

BATCH_PATH = "/api/settlement/withdraw/batch"
PAYOUTS_PATH = "/api/settlement/payouts"
LOOKUP_PATH = "/api/settlement/payouts/lookup"
CLEAR_PATH = "/api/settlement/sandbox/clear"
LINES = "application/x-ndjson"
OK = 200
ANSWERED = (OK, 202)
WRONG_REQUEST = (400, 413, 422)
# settlement answers before we stop waiting, so that slow members come back as pending and not as a broken call
ANSWER_MARGIN_SECONDS = 0.5
# settlement's version before this one finds a key wrong; how long one that does is spared them
WITHOUT_KEYS_SECONDS = 30.0
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
    account_id: str
    amount: Decimal
    account: str
    idempotency_key: str | None = None

    def body(self, *, with_key: bool = False) -> dict[str, Any]:
        """The members of the order; `with_key` for settlement to keep the merchant's key with the payout."""
        members: dict[str, Any] = {
            "withdrawal_id": str(self.withdrawal_id),
            "merchant_id": self.merchant_id,
            "account_id": self.account_id,
            "amount": str(self.amount),
            "account": self.account,
        }
        if with_key and self.idempotency_key is not None:
            members["idempotency_key"] = self.idempotency_key
        return members


@dataclass(frozen=True, slots=True)
class SettleResult:
    """`detail` is the bank's reason of a refusal, or why the outcome is not known."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PayoutDecision:
    """What two people decided of a payout; `evidence` is what settlement keeps of it."""

    order: PayoutOrder
    account_fingerprint: str
    outcome: str
    evidence: str

    def body(self) -> dict[str, Any]:
        about = {name: value for name, value in self.order.body().items() if name not in {"withdrawal_id", "account"}}
        return {
            **about,
            "account_fingerprint": self.account_fingerprint,
            "outcome": self.outcome,
            "evidence": self.evidence,
        }


class SettlementError(Exception):
    """Settlement gave no answer that can be used."""


class RequestNotTaken(SettlementError):  # noqa: N818 - a fact, not a fault of the program
    """Settlement found the request as a whole wrong (4xx) and did nothing."""


class PayoutDiffers(SettlementError):  # noqa: N818 - a fact, not a fault of the program
    """Settlement knows the payout with other content."""


class SettlementClient:
    """One connection pool per process; safe to use from many threads."""

    def __init__(self, base_url: str, token: str, connections: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-Internal-Token": token, "Content-Type": "application/json"}
        self._pool = connection_pool(connections)
        self._without_keys_until = 0.0

    def settle(self, orders: Sequence[PayoutOrder], *, deadline_seconds: float) -> dict[UUID, SettleResult]:
        """Each order's result within the deadline. Repeating an order is safe: settlement pays an id once."""
        results: dict[UUID, SettleResult] = {}
        try:
            answer = self._batch(orders, deadline_seconds)
            items = {UUID(item["withdrawal_id"]): item for item in answer["results"]}
            return {order.withdrawal_id: _result(order, items.get(order.withdrawal_id)) for order in orders}
        except RequestNotTaken as error:
            if len(orders) == 1:
                return _unknown(orders, error)
        except (SettlementError, KeyError, TypeError, ValueError, AttributeError) as error:
            return _unknown(orders, error)
        for alone in self._settle_alone(orders, deadline_seconds):
            results |= alone
        return results

    def _batch(self, orders: Sequence[PayoutOrder], deadline_seconds: float) -> dict[str, Any]:
        with_keys = self._sends_keys(orders)
        body = _body(orders, deadline_seconds, with_keys=with_keys)
        try:
            return self._call("POST", BATCH_PATH, body=body, seconds=deadline_seconds)
        except RequestNotTaken:
            if not with_keys:
                raise
        body = _body(orders, deadline_seconds, with_keys=False)
        answer = self._call("POST", BATCH_PATH, body=body, seconds=deadline_seconds)
        self._leave_keys_out()
        return answer

    def _sends_keys(self, orders: Sequence[PayoutOrder]) -> bool:
        has_keys = any(order.idempotency_key is not None for order in orders)
        return has_keys and time.monotonic() >= self._without_keys_until

    def _leave_keys_out(self) -> None:
        """Settlement took a list only without keys: it is of the version before, in the middle of a rollout."""
        logger.warning("settlement does not take keys; they are left out for %g s", WITHOUT_KEYS_SECONDS)
        self._without_keys_until = time.monotonic() + WITHOUT_KEYS_SECONDS

    def settle_each(
        self, orders: Sequence[PayoutOrder], *, deadline_seconds: float
    ) -> Iterator[dict[UUID, SettleResult]]:
        """Each order's result once, as soon as it is known, with those that became known together.

        Over by the deadline, with what is not known then as UNKNOWN; a caller that takes its time between two results
        takes it from the deadline. Only a list that settlement finds wrong takes longer, up to ALONE_SECONDS and one
        deadline: its members are asked about one by one.
        """
        waiting = {order.withdrawal_id: order for order in orders}
        reason = SettlementError("not in settlement's answer")
        try:
            for lines in self._lines_of_any(orders, deadline_seconds):
                if results := _results(waiting, lines):
                    yield results
        except SettlementError as error:
            reason = error
        if isinstance(reason, RequestNotTaken) and len(orders) > 1:
            yield from self._settle_alone(orders, deadline_seconds)
        elif waiting:
            yield _unknown(waiting.values(), reason)

    def _settle_alone(
        self, orders: Sequence[PayoutOrder], deadline_seconds: float
    ) -> Iterator[dict[UUID, SettleResult]]:
        """One wrong member spoils a list; alone, the others are paid. Whom the time does not reach is asked later."""
        until = time.monotonic() + ALONE_SECONDS
        for order in orders:
            if time.monotonic() < until:
                yield self.settle([order], deadline_seconds=deadline_seconds)
            else:
                yield {order.withdrawal_id: SettleResult(Outcome.UNKNOWN, "not asked: the time was over")}

    def conclude(self, decision: PayoutDecision, *, deadline_seconds: float) -> tuple[SettleResult, str]:
        """The payout's result after the decision was brought, and the evidence that settlement has of it ("" for none).

        Repeating it is safe. A payout that the bank is being asked about at this moment is PENDING.
        """
        path = f"{PAYOUTS_PATH}/{decision.order.withdrawal_id}/outcome"
        try:
            payout = self._call("POST", path, body=decision.body(), seconds=deadline_seconds)
            result = _result(decision.order, {"state": payout["state"], "reason": payout["reason"], "payout": payout})
            return result, str(payout["evidence"] or "")
        except PayoutDiffers as error:
            return SettleResult(Outcome.CONFLICT, repr(error)[:500]), ""
        except (SettlementError, KeyError, TypeError, ValueError, AttributeError) as error:
            return _unknown([decision.order], error)[decision.order.withdrawal_id], ""

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
        seconds: float = 30.0,
    ) -> dict[str, Any]:
        with tracing.calling(f"{method} {path}") as trace_headers, _errors_told(method, path):
            status, content = exchange(
                self._pool,
                method,
                self._base_url + path,
                seconds=seconds,
                headers=self._request_headers() | trace_headers,
                body=orjson.dumps(body) if body is not None else None,
                fields=fields,
            )
            return _object(status, content)

    def _lines_of_any(self, orders: Sequence[PayoutOrder], deadline_seconds: float) -> Iterator[list[bytes]]:
        """The lines of the answer, of a settlement that takes keys or one that does not; raises SettlementError."""
        with_keys = self._sends_keys(orders)
        try:
            yield from self._lines(orders, deadline_seconds, with_keys=with_keys)
        except RequestNotTaken:
            if not with_keys:
                raise
        else:
            return
        taken = False
        for lines in self._lines(orders, deadline_seconds, with_keys=False):
            if not taken:
                taken = True
                self._leave_keys_out()
            yield lines

    def _lines(
        self, orders: Sequence[PayoutOrder], deadline_seconds: float, *, with_keys: bool
    ) -> Iterator[list[bytes]]:
        """The lines of the answer to a batch, those together that came together; raises SettlementError."""
        with (
            tracing.calling(f"POST {BATCH_PATH}") as trace_headers,
            _errors_told("POST", BATCH_PATH),
            answering(
                self._pool,
                "POST",
                self._base_url + BATCH_PATH,
                seconds=deadline_seconds,
                headers=self._request_headers() | {"Accept": LINES} | trace_headers,
                body=orjson.dumps(_body(orders, deadline_seconds, with_keys=with_keys)),
            ) as (status, pieces),
        ):
            if status != OK:
                _object(status, b"".join(pieces))
            yield from whole_lines(pieces)

    def _request_headers(self) -> dict[str, str]:
        return {**self._headers, "X-Request-ID": logs.request_id.get() or "core"}


def _body(orders: Sequence[PayoutOrder], deadline_seconds: float, *, with_keys: bool) -> dict[str, Any]:
    deadline_ms = int(max(deadline_seconds - ANSWER_MARGIN_SECONDS, deadline_seconds / 2) * 1000)
    return {"deadline_ms": deadline_ms, "withdrawals": [order.body(with_key=with_keys) for order in orders]}


@contextmanager
def _errors_told(method: str, path: str) -> Iterator[None]:
    """Whatever goes wrong is a SettlementError that says where and after how long."""
    started = time.monotonic()
    try:
        yield
    except SettlementError as error:
        metrics.SETTLEMENT_ERRORS.labels("status").inc()
        raise type(error)(f"{method} {path}: {error}") from error
    except (urllib3.exceptions.HTTPError, ValueError, OSError) as error:
        metrics.SETTLEMENT_ERRORS.labels(_reason(error)).inc()
        waited = time.monotonic() - started
        raise SettlementError(f"{method} {path}: {type(error).__name__} after {waited:.1f} s") from error


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError() | urllib3.exceptions.ReadTimeoutError() | urllib3.exceptions.ConnectTimeoutError():
            return "timeout"
        case ValueError():
            return "not_understood"
        case _:
            return "unreachable"


def _object(status: int, content: bytes) -> dict[str, Any]:
    """The object that a 200 or 202 is. Raises RequestNotTaken, SettlementError, or ValueError for what is no JSON."""
    answer = orjson.loads(content)
    if status not in ANSWERED or not isinstance(answer, dict):
        code = answer.get("code") if isinstance(answer, dict) else None
        raise _kind(status, code)(f"status {status}, code {code}")
    return answer


def _kind(status: int, code: object) -> type[SettlementError]:
    if code == PayoutConflict.code:
        return PayoutDiffers
    return RequestNotTaken if status in WRONG_REQUEST else SettlementError


def _results(waiting: dict[UUID, PayoutOrder], lines: Iterable[bytes]) -> dict[UUID, SettleResult]:
    """What lines say of orders that wait, which then wait no more; a line that says nothing of any is passed over."""
    results: dict[UUID, SettleResult] = {}
    for line in lines:
        try:
            item = orjson.loads(line)
            order = waiting.pop(UUID(item["withdrawal_id"]), None)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            logger.warning("a line of settlement's answer is not understood: %r", error)
            continue
        if order is not None:
            results[order.withdrawal_id] = _result(order, item)
    return results


def _unknown(orders: Iterable[PayoutOrder], error: Exception) -> dict[UUID, SettleResult]:
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
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
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
