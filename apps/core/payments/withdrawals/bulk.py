"""Many withdrawals in one request: each with its own key and answer, or all of them or none.

An item is the same request as `POST /api/v1/withdrawals` with its key and amount: either repeats the other.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from core.problem_handler import to_problem
from core.request_context import RequestContext
from etebar_common.headers import BARE_KEY_PATTERN, MAXIMUM_KEY_LENGTH
from etebar_common.money import parse_amount
from etebar_common.problems import AbortedWithOthers, Problem, ValidationFailed
from payments.answers import Answer, problem_answer
from payments.idempotency.identity import RequestIdentity, digest_fields
from payments.tokens.caller import TokenUser
from payments.withdrawals.job import AtomicJobs, Job, WithdrawalCommand
from payments.withdrawals.pipeline import pipeline
from payments.withdrawals.representation import PATH
from payments.withdrawals.services import answer_of

LARGEST_BULK = 1000
MEMBERS = frozenset({"idempotency_key", "amount"})
_KEY = re.compile(BARE_KEY_PATTERN[:-1] + r"\Z", re.ASCII)
KEY_HELP = (
    f"is not a key; expected 1 to {MAXIMUM_KEY_LENGTH} printable ASCII characters, neither blank nor quoted at the ends"
)

Entry = WithdrawalCommand | ValidationFailed


def command_of(item: Any, caller: TokenUser, merchant_id: int, context: RequestContext) -> Entry:
    """The command that an item stands for, or what is wrong with it."""
    amount = _amount_of(item)
    if amount is None:
        errors = dict(_errors(item))
        listed = [{"field": field, "detail": detail} for field, detail in errors.items()]
        return ValidationFailed(f"not right: {', '.join(errors)}", extensions={"errors": listed})
    digests = digest_fields({"method": "POST", "path": PATH, "amount": amount})
    identity = RequestIdentity(caller.idempotency_scope, item["idempotency_key"], "POST", PATH, digests)
    return WithdrawalCommand(merchant_id=merchant_id, amount=amount, identity=identity, context=context)


def _amount_of(item: Any) -> Decimal | None:
    """The amount of an item with which everything is right."""
    if not isinstance(item, dict) or item.keys() != MEMBERS or not _is_key(item["idempotency_key"]):
        return None
    try:
        return parse_amount(item["amount"])
    except ValueError:
        return None


def _errors(item: Any) -> list[tuple[str, str]]:
    if not isinstance(item, Mapping):
        return [("item", "is not an object")]
    errors = [(name, "is required") for name in sorted(MEMBERS - item.keys())]
    errors += [
        (name, "is not known here; known are: idempotency_key, amount") for name in sorted(item.keys() - MEMBERS)
    ]
    key = item.get("idempotency_key")
    if "idempotency_key" in item and not _is_key(key):
        errors.append(("idempotency_key", KEY_HELP))
    if "amount" in item:
        try:
            parse_amount(item["amount"])
        except ValueError as error:
            errors.append(("amount", str(error)))
    return errors


def _is_key(key: Any) -> bool:
    return isinstance(key, str) and len(key) <= MAXIMUM_KEY_LENGTH and _KEY.match(key) is not None


def withdrawals_create(entries: Sequence[Entry]) -> list[Answer]:
    """Each entry's own answer, in their order; one that is not right or is refused does not spoil the others."""
    jobs = [Job(entry) if isinstance(entry, WithdrawalCommand) else entry for entry in entries]
    pipeline().put([job for job in jobs if isinstance(job, Job)])
    return [_answer(job) for job in jobs]


def _answer(job: Job | Problem) -> Answer:
    if isinstance(job, Problem):
        return problem_answer(job)
    job.wait()
    try:
        return answer_of(job)
    except Exception as error:  # noqa: BLE001 - an item's error is the item's answer
        return problem_answer(to_problem(error))


def withdrawals_create_atomically(entries: Sequence[Entry]) -> tuple[list[Answer], bool]:
    """The entries' answers, and whether funds are reserved for all of them; otherwise nothing is written or stored.

    What the bank refuses afterwards is released by itself. When nothing is known, raises as `withdrawal_create` does.
    """
    commands = [entry for entry in entries if isinstance(entry, WithdrawalCommand)]
    if len(commands) < len(entries):
        return [
            problem_answer(entry if isinstance(entry, Problem) else AbortedWithOthers()) for entry in entries
        ], False
    group = AtomicJobs(commands)
    pipeline().put([group])
    is_reserved = group.wait()
    return [_answer(job) for job in group.jobs], is_reserved
