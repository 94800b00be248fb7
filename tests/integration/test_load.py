"""Many requests at once through the web server, the databases and settlement: the limit holds to the cent."""

from collections import Counter
from decimal import Decimal

from etebar_quickstart.stack import Stack

from . import books
from .api import new_key
from .load import all_at_once
from .platform import Platform
from .waiting import wait_until


class TestAMerchantAtItsLimit:
    def test_200_withdrawals_at_once_are_accepted_as_far_as_they_fit(self, platform: Platform, stack: Stack) -> None:
        account = "IRTEST0000000000200"
        merchant = platform.api.merchant(limit="50.00", account=account)
        answers = all_at_once(lambda: merchant.withdraw("0.70"), 200)
        accepted = [each for each in answers if each.status_code in {201, 202}]
        refused = [each for each in answers if each not in accepted]
        assert len(accepted) == 71
        assert {(each.status_code, each.json()["code"]) for each in refused} == {(409, "insufficient_credit")}
        books.make_due(stack)
        wait_until("all are paid", lambda: len(books.payments_to(stack, account)) == 71)
        assert sorted(books.payments_to(stack, account)) == sorted((each.json()["id"], "0.70") for each in accepted)
        assert merchant.used() == "49.70"
        books.assert_books_agree(stack)


class TestOneKey:
    def test_sent_50_times_at_once_makes_one_withdrawal(self, platform: Platform, stack: Stack) -> None:
        merchant, key = platform.api.merchant(), new_key()
        answers = all_at_once(lambda: merchant.withdraw("2.00", key), 50, threads=50)
        statuses = Counter(each.status_code for each in answers)
        ((withdrawal_id, _),) = books.withdrawals_under(stack, key)
        firsts = [each for each in answers if each.is_success and "Idempotency-Replayed" not in each.headers]
        assert len(firsts) == 1
        assert statuses.keys() <= {201, 202, 409}
        for answer in answers:
            if answer.status_code == 409:
                assert answer.json()["code"] == "request_in_progress"
                assert "Retry-After" in answer.headers
            else:
                assert answer.json()["id"] == withdrawal_id
        platform.wait_settled(merchant, withdrawal_id)
        assert books.payments_of(stack, withdrawal_id) == [withdrawal_id]
        assert Decimal(merchant.used()) == 2
        books.assert_books_agree(stack)
