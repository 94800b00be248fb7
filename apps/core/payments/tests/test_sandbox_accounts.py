"""docs/how-to/sandbox.md: each row of its table happens as it says."""

import re
import time

import pytest
from django.utils import timezone

from etebar_quickstart import paths
from payments.dispatch.services import dispatch_due
from payments.models import Withdrawal
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw

pytestmark = pytest.mark.usefixtures("books")

PAGE = paths.REPOSITORY / "docs" / "how-to" / "sandbox.md"
ROW = re.compile(r"^\| `(IRTEST\w+)` \| .* \| (\d{3}) \| (\w+) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE.read_text())
# the slow bank's 3 s, and settlement's lease
LONGEST_SECONDS = 30.0


def test_the_table_was_read() -> None:
    assert len(ROWS) == 7


@pytest.mark.parametrize(("account", "status", "state"), ROWS)
def test_an_account_does_what_its_row_says(account: str, status: str, state: str) -> None:
    fund_pool()
    answer = withdraw(merchant_client(make_merchant(account=account + "0" * 6)))
    assert answer.status_code == int(status), answer.content
    # one that stays pending is asked about a few times
    ends = time.monotonic() + (1.0 if state == "pending" else LONGEST_SECONDS)
    while Withdrawal.objects.get().state == "pending" and time.monotonic() < ends:
        Withdrawal.objects.filter(state="pending").update(next_attempt_at=timezone.now())
        dispatch_due()
        time.sleep(0.1)
    assert Withdrawal.objects.get().state == state
