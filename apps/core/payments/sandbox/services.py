"""Seeds a sandbox for load tests: clears what was there, in both databases, and adds merchants ready to withdraw."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import redis
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction

from core.environment import ENVIRONMENT
from payments.audit.services import Actor, entry
from payments.merchants.accounts import fingerprint_of, stored_account
from payments.models import AuditEntry, Merchant, MerchantCredit, WalletAccount
from payments.pool.services import pool_top_up
from payments.tokens.authentication import access_token_for
from payments.withdrawals.settlement_client import SettlementError, settlement_client

BATCH_ROWS = 1000
SEEDING_USER = "seed"


@dataclass(frozen=True, slots=True)
class Seed:
    """What the sandbox is to hold; merchants are named m1, m2, ..."""

    merchants: int = 1000
    password: str = "p"  # noqa: S105 - the seed contract's password, sandbox only
    credit_limit: Decimal = Decimal("1000.00")
    pool: Decimal = Decimal("5000000.00")


def seed_sandbox(seed: Seed, say: Callable[[str], object] = print) -> None:
    """Clears and seeds.

    Raises SystemExit in production, and when core or settlement cannot be cleared (nothing is, then). Load should be
    stopped first: what is on its way to settlement at that moment is paid there, and core knows no more of it.
    """
    if not ENVIRONMENT.etebar_profile.is_sandboxed:
        raise SystemExit("Seeding clears the books: it runs with ETEBAR_PROFILE=sandbox or test only.")
    with transaction.atomic(durable=True):
        merchants, payouts = _clear_both()
        say(f"Cleared: {merchants} merchants and their books in core, {payouts} payouts in settlement.")
        by = _seeding_actor()
        _record_approvals(_add_merchants(seed), seed, by)
        pool_top_up(amount=seed.pool, by=by)
    say(f"Seed done: merchants={seed.merchants}, credit/merchant={seed.credit_limit}, pool_available={seed.pool}")


def _clear_both() -> tuple[int, int]:
    """Clears core's and settlement's books, core's locked first; how many merchants and payouts there were."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT payments_sandbox_lock()")
            payouts = settlement_client().clear_sandbox()
            cursor.execute("SELECT payments_sandbox_clear()")
            return int(cursor.fetchone()[0]), payouts
    except SettlementError as error:
        raise SystemExit(
            f"Nothing was cleared: settlement at {ENVIRONMENT.settlement_url} did not do it: {error}"
        ) from error
    except OperationalError as error:
        raise SystemExit(f"Nothing was cleared: {str(error).splitlines()[0]}") from error


def _seeding_actor() -> Actor:
    admin = User.objects.filter(is_superuser=True).order_by("pk").first()
    user = admin or User.objects.get_or_create(username=SEEDING_USER, defaults={"is_active": False})[0]
    return Actor(user.pk, f"staff:{user.get_username()}")


def _add_merchants(seed: Seed) -> list[Merchant]:
    shared_hash = make_password(seed.password)
    users = User.objects.bulk_create(
        (User(username=f"m{number}", password=shared_hash) for number in range(1, seed.merchants + 1)), BATCH_ROWS
    )
    merchants = Merchant.objects.bulk_create(
        (
            Merchant(
                user=user,
                state=Merchant.State.APPROVED,
                requested_credit=seed.credit_limit,
                **stored_account(f"IRTEST{number:013d}"),
            )
            for number, user in enumerate(users, 1)
        ),
        BATCH_ROWS,
    )
    WalletAccount.objects.bulk_create(
        (
            WalletAccount(
                merchant=merchant,
                bank_account=merchant.bank_account,
                account_encrypted=merchant.account_encrypted,
                fingerprint=fingerprint_of(merchant.account_number),
            )
            for merchant in merchants
        ),
        BATCH_ROWS,
    )
    MerchantCredit.objects.bulk_create(
        (MerchantCredit(merchant=merchant, credit_limit=seed.credit_limit) for merchant in merchants), BATCH_ROWS
    )
    return merchants


def _record_approvals(merchants: Sequence[Merchant], seed: Seed, by: Actor) -> None:
    """What merchant_approve writes of each: statements read their limits from the audit."""
    approvals = (
        entry(by, "merchant_approved", merchant_id=merchant.pk, credit_limit=seed.credit_limit)
        for merchant in merchants
    )
    AuditEntry.objects.bulk_create(approvals, BATCH_ROWS)


@dataclass(frozen=True, slots=True)
class TokenPreload:
    """Where tokens go: a Redis list, as the load test reads it."""

    count: int
    redis_url: str
    list_name: str
    lifetime: timedelta = timedelta(hours=24)


def preload_from_environment() -> TokenPreload:
    """N_TOKENS, REDIS_URL and TOKENS_KEY, as the load test names them."""
    return TokenPreload(
        count=int(os.environ.get("N_TOKENS", "1000")),
        redis_url=ENVIRONMENT.redis_url,
        list_name=os.environ.get("TOKENS_KEY", "locust:tokens"),
    )


def preload_tokens(preload: TokenPreload, say: Callable[[str], object] = print) -> None:
    """Fills the list with access tokens of approved merchants, one each; raises SystemExit when there are none."""
    if not ENVIRONMENT.etebar_profile.is_sandboxed:
        raise SystemExit("Tokens are handed out in bulk with ETEBAR_PROFILE=sandbox or test only.")
    tokens = list(_tokens(preload))
    if not tokens:
        raise SystemExit("There are no approved merchants: run scripts/seed_merchants.py first.")
    with redis.Redis.from_url(preload.redis_url) as client, client.pipeline() as pipeline:
        pipeline.delete(preload.list_name).rpush(preload.list_name, *tokens).execute()
    say(f"Preloaded {len(tokens)} tokens into {preload.list_name}.")


def _tokens(preload: TokenPreload) -> Iterator[str]:
    approved = Merchant.objects.filter(state=Merchant.State.APPROVED).select_related("user").order_by("pk")
    for merchant in approved[: preload.count]:
        yield str(access_token_for(merchant.user, merchant.pk, preload.lifetime))
