"""The commands and requests that people know from the seed, as they type them, in the sandbox profile."""

import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from etebar_quickstart import paths
from etebar_quickstart.stack import Stack

from . import books
from .commands import shell
from .platform import databases

ADMIN, ADMIN_PASSWORD = "admin", "a"
CREDIT_OF_M2 = (
    "select u.username, mc.credit_limit, mc.utilized_amount from payments_merchantcredit mc "
    "join payments_merchant m on m.id = mc.merchant_id join auth_user u on u.id = m.user_id where u.username='m2';"
)
SEEDED = "Seed done: merchants=1000, credit/merchant=1000.00, pool_available=5000000.00"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with databases("sandbox", durable=False) as stack:
        stack.start()
        yield stack


@pytest.fixture(scope="module")
def http(stack: Stack) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=stack.environments.core_url, trust_env=False, timeout=20) as client:
        yield client


def succeeds(stack: Stack, command: str, directory: Path = paths.CORE) -> str:
    """What a command prints that must end with 0."""
    done = shell(stack, command, directory)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def post(
    http: httpx2.Client, path: str, body: dict[str, Any], expect: int, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """The members of an answer whose status must be `expect`."""
    answer = http.post(path, json=body, headers=headers)
    assert answer.status_code == expect, answer.text
    members: dict[str, Any] = answer.json()
    return members


def sign_in(http: httpx2.Client, username: str, password: str) -> dict[str, str]:
    pair = post(http, "/api/v1/auth/token", {"username": username, "password": password}, 200)
    assert pair["refresh"]
    return {"Authorization": f"Bearer {pair['access']}"}


@pytest.fixture(scope="module")
def admin(stack: Stack, http: httpx2.Client) -> dict[str, str]:
    """The admin, made by the command, and signed in."""
    name = f"DJANGO_SUPERUSER_USERNAME={ADMIN} DJANGO_SUPERUSER_PASSWORD={ADMIN_PASSWORD}"
    email = "DJANGO_SUPERUSER_EMAIL=admin@example.com"
    printed = succeeds(stack, f"{name} {email} python manage.py createsuperuser --noinput")
    assert "Superuser created successfully." in printed
    return sign_in(http, ADMIN, ADMIN_PASSWORD)


@pytest.fixture(scope="module")
def story(http: httpx2.Client, admin: dict[str, str]) -> dict[str, Any]:
    """The seed's requests in their order, from registration to a withdrawal: what was answered."""
    wish = {"username": "m1", "password": "p", "requested_credit": "1000.00", "bank_account": "IRTEST0000000000001"}
    registered = post(http, "/api/v1/auth/register", wish, 201)
    approval = {"merchant_id": registered["merchant_id"], "credit_limit": "1000.00"}
    approved = post(http, "/api/v1/admin/approve", approval, 200, admin)
    pool = post(http, "/api/v1/admin/pool/topup", {"amount": "10000.00"}, 200, admin)
    token = sign_in(http, "m1", "p")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    withdrawal = post(http, "/api/v1/withdrawals", {"amount": "1.00"}, 201, token | key)
    me = http.get("/api/v1/me", headers=token).json()
    return {"registered": registered, "approved": approved, "pool": pool, "withdrawal": withdrawal, "me": me}


@pytest.fixture(scope="module")
def seeding(stack: Stack, story: dict[str, Any]) -> tuple[str, float]:
    """What the seed printed over the story's data, and the seconds that it took."""
    begun = time.monotonic()
    printed = succeeds(stack, "python manage.py shell < scripts/seed_merchants.py")
    return printed, time.monotonic() - begun


@pytest.fixture(scope="module")
def tokens(stack: Stack, seeding: tuple[str, float]) -> str:
    return succeeds(stack, "python manage.py shell < scripts/preload_tokens.py")


class TestRequests:
    def test_createsuperuser_makes_an_admin_who_can_sign_in(self, admin: dict[str, str]) -> None:
        assert admin["Authorization"].startswith("Bearer ")

    def test_a_merchant_registers_is_approved_and_withdraws(self, story: dict[str, Any]) -> None:
        assert isinstance(story["registered"]["merchant_id"], int)
        assert story["approved"]["credit_limit"] == "1000.00"
        assert story["pool"]["available_amount"] == "10000.00"
        assert (story["withdrawal"]["state"], story["withdrawal"]["amount"]) == ("settled", "1.00")
        assert (story["me"]["username"], story["me"]["utilized_amount"]) == ("m1", "1.00")


class TestSettlementDirectly:
    @pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 403), ("right", 200)])
    def test_it_pays_for_the_internal_token_only(self, stack: Stack, token: str | None, status: int) -> None:
        account = f"IRTEST{status:013}"
        payout = {"merchant_id": 1, "account_id": str(uuid.uuid4()), "amount": "1.00", "account": account}
        right = stack.environments.secrets.internal_token
        headers = {"X-Internal-Token": right if token == "right" else token} if token else {}
        url = f"{stack.environments.settlement_url}/api/settlement/withdraw"
        answer = httpx2.post(url, json=payout, headers=headers, trust_env=False)
        assert answer.status_code == status, answer.text
        assert [answer.json().get("state"), answer.json().get("direct_test")] == (
            ["paid", True] if status == 200 else [None, None]
        )
        assert len(books.payments_to(stack, account)) == (1 if status == 200 else 0)


class TestSeedMerchants:
    def test_it_ends_with_its_closing_line_in_under_10_seconds(self, seeding: tuple[str, float]) -> None:
        printed, seconds = seeding
        assert printed.splitlines()[-1] == SEEDED
        assert seconds < 10

    def test_it_clears_both_databases_and_says_so(self, stack: Stack, seeding: tuple[str, float]) -> None:
        cleared = r"Cleared: 1 merchants and their books in core, [1-9]\d* payouts in settlement\."
        assert re.fullmatch(cleared, seeding[0].splitlines()[-2])
        assert books.query(stack.dsn("etebar_audit"), "SELECT count(*) FROM payments_merchant") == [(1000,)]
        # what the load test withdraws later is the seeded merchants', whose number is not the first one's
        older = "SELECT count(*) FROM payouts WHERE merchant_id NOT IN (SELECT unnest(%s::bigint[]))"
        merchants = [row[0] for row in books.query(stack.dsn("etebar_audit"), "SELECT id FROM payments_merchant")]
        assert books.query(stack.dsn("etebar_audit", "settlementdb"), older, merchants) == [(0,)]
        books.assert_books_agree(stack)

    def test_its_merchants_withdraw(self, http: httpx2.Client, seeding: tuple[str, float]) -> None:
        headers = sign_in(http, "m1000", "p") | {"Idempotency-Key": str(uuid.uuid4())}
        assert post(http, "/api/v1/withdrawals", {"amount": "1000.00"}, 201, headers)["state"] == "settled"


class TestLoadTest:
    def test_preload_tokens_fills_the_list_that_redis_cli_counts(self, stack: Stack, tokens: str) -> None:
        assert tokens.splitlines()[-1] == "Preloaded 1000 tokens into locust:tokens."
        printed = succeeds(stack, f"redis-cli -p {stack.ports.redis} llen locust:tokens")
        assert printed.strip() == "1000"

    def test_locust_ends_without_failures(self, stack: Stack, tokens: str) -> None:
        done = shell(
            stack,
            "N_TOKENS=1000 REDIS_URL=$REDIS_URL TARGET_HOST=$TARGET_HOST TOKENS_KEY=locust:tokens WITHDRAW_AMOUNT=1.00 "
            "locust -f loadtest/locustfile.py --headless --users 20 --spawn-rate 20 --run-time 5s",
            paths.REPOSITORY,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # the last table of the report: name, requests, failures with their share
        total = re.findall(r"Aggregated +(\d+) +(\d+)\(", done.stdout + done.stderr)[-1]
        assert int(total[0]) > 20
        assert int(total[1]) == 0
        books.assert_books_agree(stack)


class TestPsql:
    def test_a_merchants_credit_is_shown(self, stack: Stack, seeding: tuple[str, float]) -> None:
        printed = succeeds(stack, f'psql --no-align --tuples-only -c "{CREDIT_OF_M2}"')
        assert re.fullmatch(r"m2\|1000\.00\|\d+\.\d\d", printed.strip())

    def test_the_pool_is_shown(self, stack: Stack, seeding: tuple[str, float]) -> None:
        printed = succeeds(stack, 'psql -At -c "select id, available_amount from payments_creditpool;"')
        assert re.fullmatch(r"1\|\d+\.\d\d", printed.strip())


class TestProfiling:
    @pytest.mark.parametrize("query", ["select state from pg_stat_activity;", "select mode from pg_locks;"])
    def test_psql_shows_what_the_databases_do(self, stack: Stack, query: str) -> None:
        assert succeeds(stack, f'psql -At -c "{query}"').strip()

    def test_redis_cli_shows_its_state(self, stack: Stack) -> None:
        assert "connected_clients:" in succeeds(stack, f"redis-cli -p {stack.ports.redis} INFO")


class TestManageTest:
    def test_the_concurrent_withdrawals_pass(self, stack: Stack) -> None:
        done = shell(stack, "python manage.py test payments.tests.test_concurrent_withdrawals -v 2")
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"Ran [1-9]\d* tests? in ", done.stderr)
        assert done.stderr.rstrip().endswith(
            ("OK", "Destroying test database for alias 'default' ('test_walletdb')...")
        )
