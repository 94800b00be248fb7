"""What the set-based SQL posts is what the rule in payments/ledger/arithmetic.py says."""

from decimal import Decimal

import pytest

from payments.ledger import arithmetic
from payments.ledger.arithmetic import Posting
from payments.models import POOL_ID, LedgerEntry
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw

pytestmark = pytest.mark.usefixtures("books")

AMOUNT = Decimal("7.25")


def posted(kind: str) -> set[Posting]:
    return {Posting(e.account, e.account_id, e.amount) for e in LedgerEntry.objects.filter(kind=kind)}


def test_a_top_up_posts_the_rule() -> None:
    fund_pool("7.25")
    assert posted("top_up") == set(arithmetic.top_up(AMOUNT, POOL_ID))


def test_a_failed_withdrawal_posts_the_rules_of_reserve_and_release() -> None:
    fund_pool()
    merchant = make_merchant(account="IRTESTREFUSED0000001")
    assert withdraw(merchant_client(merchant), "7.25").status_code == 409
    assert posted("reserve") == set(arithmetic.reserve(AMOUNT, POOL_ID, merchant.pk))
    assert posted("release") == set(arithmetic.release(AMOUNT, POOL_ID, merchant.pk))


@pytest.mark.parametrize(
    "postings", [arithmetic.top_up(AMOUNT, 1), arithmetic.reserve(AMOUNT, 1, 2), arithmetic.release(AMOUNT, 1, 2)]
)
def test_every_rule_sums_to_zero(postings: tuple[Posting, ...]) -> None:
    assert arithmetic.total(postings) == 0
