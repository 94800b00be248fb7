"""What the database itself refuses, whatever the code does."""

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import httpx2
import pytest
from settlement_helpers import (
    PAYOUTS,
    WITHDRAW,
    TestDatabase,
    assert_problem,
    running,
    settings_for,
    withdrawal,
)

from etebar_quickstart.ports import HOST
from settlement.settings import Settings

CLEAR = "/api/settlement/sandbox/clear"


@pytest.fixture
async def paid(client: httpx2.AsyncClient) -> str:
    return str((await client.post(WITHDRAW, json=withdrawal())).json()["withdrawal_id"])


@pytest.fixture
async def pending(client: httpx2.AsyncClient) -> str:
    return str((await client.post(WITHDRAW, json=withdrawal(account="IRTESTDOWN1"))).json()["withdrawal_id"])


class TestTheApplicationsRole:
    @pytest.mark.parametrize("table", ["payouts", "sandbox_transfers", "request_log", "deployment"])
    @pytest.mark.parametrize("act", ["DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
    async def test_can_remove_nothing(self, database: TestDatabase, table: str, act: str) -> None:
        async with database.connect("settlement_app") as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(act.format(table))

    @pytest.mark.parametrize("column", ["amount = 2", "merchant_id = 8", "account_fingerprint = ''", "rail = 'http'"])
    async def test_cannot_change_what_was_ordered(self, database: TestDatabase, pending: str, column: str) -> None:
        async with database.connect("settlement_app") as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"UPDATE payouts SET {column} WHERE withdrawal_id = $1::uuid", pending)

    async def test_cannot_change_the_profile(self, database: TestDatabase) -> None:
        async with database.connect("settlement_app") as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("UPDATE deployment SET profile = 'sandbox'")

    async def test_cannot_switch_the_guards_off(self, database: TestDatabase) -> None:
        async with database.connect("settlement_app") as connection:
            for act in ("ALTER TABLE payouts DISABLE TRIGGER ALL", "SET session_replication_role = replica"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(act)


@pytest.mark.parametrize("role", ["settlement_app", "settlement", "postgres"])
class TestADecidedPayout:
    async def test_never_changes(self, database: TestDatabase, paid: str, role: str) -> None:
        async with database.connect(role) as connection:
            for change in ("state = 'refused', reason = 'x'", "state = 'pending', decided_at = NULL", "attempts = 9"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="is decided and does not change"):
                    await connection.execute(f"UPDATE payouts SET {change} WHERE withdrawal_id = $1::uuid", paid)

    async def test_never_has_another_order(self, database: TestDatabase, pending: str, role: str) -> None:
        async with database.connect(role) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("UPDATE payouts SET amount = 2 WHERE withdrawal_id = $1::uuid", pending)


class TestAPayoutsReference:
    async def test_is_its_id_so_that_no_two_have_the_same(self, database: TestDatabase, paid: str) -> None:
        async with database.connect("settlement") as connection:
            with pytest.raises(asyncpg.CheckViolationError, match="payouts_reference_is_the_id"):
                await connection.execute(
                    "INSERT INTO payouts (withdrawal_id, merchant_id, account_id, amount, account_fingerprint,"
                    " account_masked, rail, reference) SELECT gen_random_uuid(), merchant_id, account_id, amount,"
                    " account_fingerprint, account_masked, rail, reference FROM payouts WHERE withdrawal_id = $1::uuid",
                    paid,
                )


class TestTheAuditsRole:
    @pytest.mark.parametrize("table", ["payouts", "sandbox_transfers", "request_log", "deployment", "alembic_version"])
    async def test_reads_every_table(self, database: TestDatabase, table: str) -> None:
        async with database.connect("etebar_audit") as connection:
            await connection.fetch(f"SELECT * FROM {table} LIMIT 1")

    async def test_writes_none_and_clears_nothing(self, database: TestDatabase, pending: str) -> None:
        acts = ("DELETE FROM payouts", "UPDATE payouts SET state = 'paid'", "SELECT clear_sandbox()")
        async with database.connect("etebar_audit") as connection:
            for act in acts:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(act)


class TestARoleOfNobody:
    async def test_cannot_connect(self, database: TestDatabase) -> None:
        async with database.connect() as connection:
            await connection.execute("DROP ROLE IF EXISTS settlement_stranger")
            await connection.execute("CREATE ROLE settlement_stranger LOGIN PASSWORD 'secret'")
            try:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await asyncpg.connect(
                        host=HOST,
                        port=database.port,
                        database=database.name,
                        user="settlement_stranger",
                        password="secret",
                    )
            finally:
                await connection.execute("DROP ROLE settlement_stranger")


@pytest.fixture
async def own_database(new_database: Callable[[], TestDatabase]) -> TestDatabase:
    database = new_database()
    database.upgrade()
    return database


@pytest.fixture
async def own_client(own_database: TestDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    async with running(settings_for(own_database)) as client:
        yield client


class TestClearingTheSandbox:
    async def test_empties_payouts_and_the_banks_books_and_tells_how_many(
        self, own_client: httpx2.AsyncClient, own_database: TestDatabase
    ) -> None:
        for _ in range(3):
            await own_client.post(WITHDRAW, json=withdrawal())
        assert (await own_client.post(CLEAR)).json() == {"payouts_cleared": 3}
        assert (await own_client.post(CLEAR)).json() == {"payouts_cleared": 0}
        assert (await own_client.get(PAYOUTS)).json() == {"payouts": [], "next_cursor": None}
        assert await own_database.value("SELECT count(*) FROM sandbox_transfers") == 0

    async def test_is_possible_for_the_owner_by_hand(self, own_database: TestDatabase) -> None:
        async with own_database.connect("settlement") as connection:
            await connection.execute("TRUNCATE payouts")
            await connection.execute("DELETE FROM sandbox_transfers")

    async def test_is_refused_by_the_database_once_it_is_of_production(
        self, own_client: httpx2.AsyncClient, own_database: TestDatabase
    ) -> None:
        await own_client.post(WITHDRAW, json=withdrawal())
        own_database.upgrade("production")
        for role, act in (
            ("settlement_app", "SELECT clear_sandbox()"),
            ("settlement", "SELECT clear_sandbox()"),
            ("settlement", "TRUNCATE payouts"),
            ("settlement", "DELETE FROM payouts"),
            ("postgres", "DELETE FROM payouts"),
        ):
            async with own_database.connect(role) as connection:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(act)
        assert await own_database.value("SELECT count(*) FROM payouts") == 1

    async def test_is_not_there_in_production(self, database: TestDatabase) -> None:
        real = settings_for(
            database, etebar_profile="production", rail="http", bank_url="http://127.0.0.1:1", bank_token="t"
        )
        async with running(real) as client:
            assert_problem(await client.post(CLEAR), 404, "not_found")

    async def test_while_a_payout_is_with_the_bank_leaves_the_service_sound(
        self, own_client: httpx2.AsyncClient
    ) -> None:
        slow = asyncio.create_task(own_client.post(WITHDRAW, json=withdrawal(account="IRTESTSLOW1")))
        await asyncio.sleep(0.2)
        assert (await own_client.post(CLEAR)).json() == {"payouts_cleared": 1}
        assert (await slow).json()["state"] == "pending"
        assert (await own_client.post(WITHDRAW, json=withdrawal())).json()["state"] == "paid"


class TestTheConstraints:
    @pytest.mark.parametrize(
        "change",
        [
            "state = 'paid'",
            "state = 'refused', decided_at = now()",
            "decided_at = now()",
            "reason = 'x'",
            "state = 'x'",
        ],
    )
    async def test_refuse_a_state_that_does_not_fit_the_rest(
        self, database: TestDatabase, settings: Settings, pending: str, change: str
    ) -> None:
        async with database.connect("settlement_app") as connection:
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(f"UPDATE payouts SET {change} WHERE withdrawal_id = $1::uuid", pending)
