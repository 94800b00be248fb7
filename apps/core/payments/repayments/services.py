"""Records repayments and takes them back (docs/adr/0032). Every function runs in its caller's transaction."""

import unicodedata
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone
from uuid_utils.compat import uuid7

from etebar_common.problems import (
    InsufficientPool,
    MerchantStateConflict,
    NotFound,
    RepaymentConflict,
    RepaymentExceedsDebt,
    RepaymentReversed,
    ValidationFailed,
)
from payments.audit.services import Actor, record
from payments.formats import latin_digits
from payments.ledger import arithmetic
from payments.ledger.posting import post
from payments.locks import lock_merchant, lock_pool, lock_repayment_reference
from payments.models import BankStatementLine, LedgerEntry, MerchantCredit, Repayment, RepaymentReversal, Withdrawal

ZERO = Decimal(0)
LONGEST_REFERENCE = 140


def repayment_record(
    *,
    merchant_id: int,
    amount: Decimal,
    reference: str,
    by: Actor,
    line: BankStatementLine | None = None,
    replaces: UUID | None = None,
) -> Repayment:
    """Lowers what the merchant uses and raises the pool, once per reference: the same again is the same repayment.

    A reference whose repayment was reversed is recorded anew by who names that one in `replaces`: a request that was
    only late does not. Raises NotFound, ValidationFailed, MerchantStateConflict, RepaymentConflict when the reference
    is another repayment's, RepaymentReversed, and RepaymentExceedsDebt.
    """
    reference = canonical(reference)
    lock_repayment_reference(reference)
    known = repayment_last(reference)
    if known is not None and not is_reversed(known):
        return _the_same(known, merchant_id, amount, line)
    _require_replaced(known, replaces)
    merchant = lock_merchant(merchant_id)
    credit = MerchantCredit.objects.filter(merchant=merchant).first()
    if credit is None:
        raise MerchantStateConflict("the merchant never had credit", extensions={"state": str(merchant.state)})
    _require_owed(credit, amount)
    repayment = Repayment.objects.create(
        pk=uuid7(),
        merchant=merchant,
        amount=amount,
        reference=reference,
        number=known.number + 1 if known else 0,
        statement_line=line,
        recorded_by_id=by.user_id,
        created_at=timezone.now(),
    )
    about = {"repayment_id": repayment.pk, "amount": amount, "reference": reference}
    about |= {"replaces": replaces} if known else {}
    record(by, "repayment_recorded", merchant_id=merchant_id, **about)
    _move(credit, -amount, repayment.pk, LedgerEntry.Kind.REPAYMENT)
    return repayment


def repayment_record_line(*, merchant_id: int, line_id: int, by: Actor, replaces: UUID | None = None) -> Repayment:
    """The same from a line of the bank's statement: its amount, and the bank's reference of it.

    Raises NotFound, ValidationFailed for a line that is no payment of a merchant's, and as `repayment_record`.
    """
    line = BankStatementLine.objects.filter(pk=line_id).first()
    if line is None:
        raise NotFound(f"there is no line {line_id} of a bank statement")
    if line.amount >= 0 or line.withdrawal_id is not None:
        detail = "is no payment of a merchant's: it left the account, or gives a withdrawal back"
        raise ValidationFailed(
            "not right: statement_line_id", extensions={"errors": [{"field": "statement_line_id", "detail": detail}]}
        )
    return repayment_record(
        merchant_id=merchant_id,
        amount=-line.amount,
        reference=line.bank_reference,
        by=by,
        line=line,
        replaces=replaces,
    )


def repayment_reverse(*, repayment_id: UUID, reason: str, by: Actor) -> Repayment:
    """Takes a repayment back by a compensating entry, once; the merchant may then use more than the limit.

    Raises NotFound, RepaymentReversed, and InsufficientPool when the pool no longer has the amount.
    """
    repayment = Repayment.objects.filter(pk=repayment_id).first()
    if repayment is None:
        raise NotFound(f"there is no repayment {repayment_id}")
    lock_merchant(repayment.merchant_id)
    if is_reversed(repayment):
        raise RepaymentReversed(
            f"the repayment {repayment_id} was reversed before", extensions={"repayment_id": str(repayment_id)}
        )
    reversal = RepaymentReversal.objects.create(
        pk=uuid7(), repayment=repayment, reason=reason, made_by_id=by.user_id, created_at=timezone.now()
    )
    about = {"repayment_id": repayment_id, "amount": repayment.amount, "reason": reason}
    record(by, "repayment_reversed", merchant_id=repayment.merchant_id, **about)
    credit = MerchantCredit.objects.get(merchant_id=repayment.merchant_id)
    _move(credit, repayment.amount, reversal.pk, LedgerEntry.Kind.REVERSAL)
    return repayment


def canonical(reference: str) -> str:
    """A bank's reference in one form, however it was typed or copied: digits, spaces, marks that nobody sees.

    Raises ValidationFailed when nothing is left, or too much.
    """
    normal = latin_digits(unicodedata.normalize("NFKC", reference))
    found = " ".join("".join(each for each in normal if unicodedata.category(each) != "Cf").split())
    if not 0 < len(found) <= LONGEST_REFERENCE:
        detail = f"expected 1 to {LONGEST_REFERENCE} characters that can be seen"
        raise ValidationFailed(
            "not right: reference", extensions={"errors": [{"field": "reference", "detail": detail}]}
        )
    return found


def repayment_last(reference: str) -> Repayment | None:
    """The last one under a canonical reference, in capitals or not."""
    found = Repayment.objects.filter(reference__iexact=reference)
    return found.order_by("number", "created_at").last()


def is_reversed(repayment: Repayment) -> bool:
    """Whether it was taken back."""
    return RepaymentReversal.objects.filter(repayment=repayment).exists()


def owed(credit: MerchantCredit) -> Decimal:
    """What of the use is settled and not paid back: pending withdrawals may still fail, and are given back then."""
    pending = Withdrawal.objects.filter(merchant_id=credit.merchant_id, state=Withdrawal.State.PENDING)
    return credit.utilized_amount - (pending.aggregate(sum=Sum("amount"))["sum"] or ZERO)


def _require_replaced(known: Repayment | None, replaces: UUID | None) -> None:
    if known is not None and known.pk != replaces:
        raise RepaymentReversed(
            f"the reference is that of {known.amount} of merchant {known.merchant_id}, which was reversed",
            extensions={"repayment_id": str(known.pk)},
        )


def _the_same(known: Repayment, merchant_id: int, amount: Decimal, line: BankStatementLine | None) -> Repayment:
    other_line = line is not None and known.statement_line_id not in {None, line.pk}
    if (known.merchant_id, known.amount) != (merchant_id, amount) or other_line:
        raise RepaymentConflict(
            f"the reference is that of {known.amount} of merchant {known.merchant_id}",
            extensions={"repayment_id": str(known.pk)},
        )
    return known


def _require_owed(credit: MerchantCredit, amount: Decimal) -> None:
    # under the lock of the credit: what fails meanwhile waits, what is settled meanwhile is owed later
    most = owed(credit)
    if amount > most:
        detail = f"the merchant owes {most} for settled withdrawals, the repayment is of {amount}"
        raise RepaymentExceedsDebt(detail, extensions={"owed": str(most)})


def _move(credit: MerchantCredit, used: Decimal, transaction_id: UUID, kind: LedgerEntry.Kind) -> None:
    """Adds `used` (signed) to what the merchant uses, takes it from the pool, and posts both."""
    pool = lock_pool()
    if pool.available_amount - used < 0:
        raise InsufficientPool(f"the pool has {pool.available_amount} available, the reversal is of {used}")
    credit.utilized_amount += used
    credit.ledger_number += 1
    credit.save(update_fields=["utilized_amount", "ledger_number"])
    pool.available_amount -= used
    pool.repaid_amount -= used
    pool.ledger_number += 1
    pool.save(update_fields=["available_amount", "repaid_amount", "ledger_number"])
    after = {
        "merchant": (credit.ledger_number, credit.utilized_amount),
        "pool": (pool.ledger_number, pool.available_amount),
    }
    post(transaction_id, kind, arithmetic.use(used, pool.pk, credit.merchant_id), after)
