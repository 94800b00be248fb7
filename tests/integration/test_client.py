"""etebar-client against the platform: what it is told, and money that moves once when the network is cut."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from chaos.link import Link, State

from etebar_client import AsyncEtebar, Etebar, NoAnswer, Refused
from etebar_client.webhooks import NotSigned, verify

from . import books
from .api import PASSWORD, Merchant, new_key
from .platform import Platform
from .test_decided_outcomes import DOWN

THREE = Decimal("3.00")


@pytest.fixture
def merchant(platform: Platform) -> Merchant:
    return platform.api.merchant()


def key_of(merchant: Merchant) -> str:
    body = {"name": "tests", "scopes": ["withdrawals:write", "withdrawals:read", "statements:read", "webhooks:manage"]}
    return str(merchant.api.must("POST", "/api-keys", body, merchant.token)["key"])


def name_of(merchant: Merchant) -> str:
    return str(merchant.api.must("GET", "/me", headers=merchant.token)["username"])


def cut_for(link: Link, seconds: float) -> Callable[[], None]:
    def cut() -> None:
        with link.being(State.ANSWERS_LOST):
            time.sleep(seconds)

    return cut


def assert_moved_once(platform: Platform, merchant: Merchant, key: str) -> None:
    made = books.withdrawals_under(platform.stack, key)
    assert [state for _, state in made] == ["settled"]
    assert len(books.payments_of(platform.stack, made[0][0])) == 1
    assert merchant.used() == "3.00"


class TestEtebar:
    def test_withdraws_and_tells_what_there_is(self, platform: Platform, merchant: Merchant) -> None:
        with Etebar(platform.stack.environments.core_url, api_key=key_of(merchant)) as etebar:
            made = etebar.withdraw(THREE)
            assert (made.amount, made.state, made.is_final) == (THREE, "settled", True)
            assert etebar.withdrawal(made.id) == made
            waiting = etebar.withdraw("1.00", respond_async=True, wait_seconds=20)
            assert waiting.state == "settled"
            assert {each.id for each in etebar.withdrawals(limit="1")} == {made.id, waiting.id}
            account = etebar.account()
            assert (account.state, account.used) == ("approved", Decimal("4.00"))
            assert [entry.balance_after for entry in etebar.ledger()] == [Decimal("4.00"), THREE]
            assert etebar.totals().members["settled"]["count"] == 2
            made_at = made.created_at
            statement = etebar.statement(made_at.year, made_at.month).members
            assert statement["closing"]["used"] == "4.00"
            days = (made_at.date() - timedelta(days=1), made_at.date() + timedelta(days=1))
            assert etebar.statement_between(*days).members["closing"] == statement["closing"]
            assert etebar.statement_file_between(*days).startswith(b"%PDF-")
            assert etebar.statement_file(made_at.year, made_at.month, "csv").startswith(b"number,")

    def test_tells_a_refusal_as_it_is(self, platform: Platform, merchant: Merchant) -> None:
        with Etebar(platform.stack.environments.core_url, api_key=key_of(merchant)) as etebar:
            with pytest.raises(Refused, match="insufficient_credit") as refused:
                etebar.withdraw("100000.00")
            assert (refused.value.status, refused.value.code) == (409, "insufficient_credit")
            with pytest.raises(TypeError, match="a float is no amount"):
                etebar.withdraw(3.0)  # type: ignore[arg-type]

    def test_logs_in_by_password_and_again_when_a_token_is_over(self, platform: Platform, merchant: Merchant) -> None:
        url, name = platform.stack.environments.core_url, name_of(merchant)
        with Etebar(url, username=name, password=PASSWORD) as etebar:
            assert etebar.account().username == name
            etebar._operations._token = "over"  # noqa: SLF001 - as if its 30 minutes were
            assert etebar.account().username == name
        with (
            Etebar(url, username=name, password="no") as etebar,
            pytest.raises(Refused, match="credentials_invalid"),
        ):
            etebar.account()

    def test_cut_off_in_mid_withdrawal_moves_money_once(self, platform: Platform, merchant: Merchant) -> None:
        key = new_key()
        with Link(platform.stack.ports.core).serving() as link:
            cutting = threading.Thread(target=cut_for(link, 2.0))
            with Etebar(link.url, api_key=key_of(merchant), timeout=0.7, attempts=20) as etebar:
                etebar.account()
                cutting.start()
                made = etebar.withdraw(THREE, key=key, wait_seconds=20)
            cutting.join()
        assert made.state == "settled"
        assert_moved_once(platform, merchant, key)

    def test_that_is_pending_for_longer_than_it_waits_is_asked_for_again_under_its_key(
        self, platform: Platform
    ) -> None:
        merchant = platform.api.merchant(account=DOWN)
        with Etebar(platform.stack.environments.core_url, api_key=key_of(merchant)) as etebar:
            key = None
            for _ in range(2):
                with pytest.raises(NoAnswer) as unknown:
                    etebar.withdraw(THREE, key=key, wait_seconds=0.3)
                key = unknown.value.key
        assert merchant.used() == "3.00"

    def test_that_gives_up_names_the_key_to_ask_again_with(self, platform: Platform, merchant: Merchant) -> None:
        with (
            Link(platform.stack.ports.core).serving() as link,
            Etebar(link.url, api_key=key_of(merchant), timeout=0.5, attempts=2) as etebar,
        ):
            etebar.account()
            with link.being(State.ANSWERS_LOST), pytest.raises(NoAnswer) as unknown:
                etebar.withdraw(THREE)
            key = unknown.value.key
            assert key
            assert etebar.withdraw(THREE, key=key, wait_seconds=20).state == "settled"
        assert_moved_once(platform, merchant, key)


class TestAsyncEtebar:
    async def test_does_the_same(self, platform: Platform, merchant: Merchant) -> None:
        async with AsyncEtebar(platform.stack.environments.core_url, api_key=key_of(merchant)) as etebar:
            made = await etebar.withdraw(THREE)
            assert [each async for each in etebar.withdrawals()] == [made]
            assert [entry.amount async for entry in etebar.ledger()] == [THREE]
            assert (await etebar.account()).used == THREE
            with pytest.raises(Refused, match="not_found"):
                await etebar.withdrawal("00000000-0000-0000-0000-000000000000")

    async def test_cut_off_in_mid_withdrawal_moves_money_once(self, platform: Platform, merchant: Merchant) -> None:
        key = new_key()
        with Link(platform.stack.ports.core).serving() as link:
            cutting = threading.Thread(target=cut_for(link, 2.0))
            async with AsyncEtebar(link.url, api_key=key_of(merchant), timeout=0.7, attempts=20) as etebar:
                await etebar.account()
                cutting.start()
                made = await etebar.withdraw(THREE, key=key, wait_seconds=20)
            cutting.join()
        assert made.state == "settled"
        assert_moved_once(platform, merchant, key)


class TestWebhooks:
    def test_are_made_and_verified(self, platform: Platform, merchant: Merchant) -> None:
        with Etebar(platform.stack.environments.core_url, api_key=key_of(merchant)) as etebar:
            made = etebar.webhook_create("http://127.0.0.1:9/hook", "withdrawal.settled")
            assert etebar.webhooks() == [made]
            [secret] = etebar.webhook_secrets(made.id)
        assert secret.startswith("whsec_")
        with pytest.raises(NotSigned):
            verify(b"{}", {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": "v1,AA=="}, [secret])
