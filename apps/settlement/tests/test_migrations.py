import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from settlement_helpers import APP_DIRECTORY, TestDatabase, settings_for
from sqlalchemy.exc import DBAPIError

from settlement.database_state import HEAD_REVISION, is_ahead, is_older
from settlement.wait_for_database import why_not


class TestTheFirstMigrationRun:
    @pytest.mark.parametrize("profile", ["production", "sandbox", "test"])
    async def test_records_the_profile(self, new_database: Callable[[], TestDatabase], profile: str) -> None:
        database = new_database()
        database.upgrade(profile)
        assert await database.value("SELECT profile FROM deployment") == profile


class TestALaterMigrationRun:
    @pytest.mark.parametrize("profile", ["sandbox", "test"])
    async def test_of_production_is_never_a_sandbox_again(
        self, new_database: Callable[[], TestDatabase], profile: str
    ) -> None:
        database = new_database()
        database.upgrade("production")
        with pytest.raises(SystemExit, match=f"its database is of profile production, never to be {profile}"):
            database.upgrade(profile)
        assert await database.value("SELECT profile FROM deployment") == "production"

    async def test_may_make_a_sandbox_production(self, new_database: Callable[[], TestDatabase]) -> None:
        database = new_database()
        database.upgrade("sandbox")
        database.upgrade("production")
        assert await database.value("SELECT profile FROM deployment") == "production"

    async def test_can_go_down_and_up_again_in_a_sandbox_only(self, new_database: Callable[[], TestDatabase]) -> None:
        database = new_database()
        database.upgrade()
        database.downgrade()
        database.upgrade("production")
        with pytest.raises(DBAPIError, match="a downgrade would drop the payouts"):
            database.downgrade("production")
        assert await database.value("SELECT count(*) FROM payouts") == 0


class TestMigrationsAtOnce:
    async def test_run_one_after_the_other(self, new_database: Callable[[], TestDatabase]) -> None:
        database = new_database()
        with ThreadPoolExecutor(2) as threads:
            runs = [threads.submit(database.alembic, "upgrade", "head") for _ in range(2)]
        assert [run.result().returncode for run in runs] == [0, 0]


class TestAMigrationWithoutADatabase:
    def test_says_so_in_one_line(self, database: TestDatabase) -> None:
        refused = database.alembic("upgrade", "head", DB_PORT="1", DB_NAME="nowhere")
        assert refused.returncode == 1
        assert refused.stderr.startswith("settlement is not migrated: nowhere at 127.0.0.1:1 cannot be reached")
        assert "Traceback" not in refused.stderr


class TestTheRevisionThatTheCodeNeeds:
    def test_is_the_newest_script(self) -> None:
        scripts = ScriptDirectory.from_config(Config(APP_DIRECTORY / "alembic.ini"))
        assert scripts.get_current_head() == HEAD_REVISION

    def test_is_met_by_a_newer_one_and_not_by_an_older_or_none(self) -> None:
        newer = f"{int(HEAD_REVISION) + 1:04}"
        assert [is_older(revision) for revision in (None, "0000", HEAD_REVISION, newer)] == [True, True, False, False]
        assert [is_ahead(revision) for revision in (None, "0000", HEAD_REVISION, newer)] == [False, False, False, True]


class TestADatabaseThatIsAheadOfTheCode:
    async def test_is_left_as_it_is(self, database: TestDatabase) -> None:
        newer = f"{int(HEAD_REVISION) + 1:04}"
        await database.rows(f"UPDATE alembic_version SET version_num = '{newer}'")
        try:
            done = database.alembic("upgrade", "head")
        finally:
            await database.rows(f"UPDATE alembic_version SET version_num = '{HEAD_REVISION}'")
        assert done.returncode == 0, done.stderr
        assert f"the database is at migration {newer}, ahead of this code; nothing is done" in done.stdout


class TestWaitingForTheDatabase:
    def test_ends_when_it_is_migrated(self, database: TestDatabase) -> None:
        assert why_not(settings_for(database), migrated=True) is None

    def test_names_one_that_is_away(self, database: TestDatabase) -> None:
        reason = why_not(settings_for(database, db_port=1), migrated=False)
        assert reason is not None
        assert "cannot be reached as settlement_app" in reason

    async def test_goes_on_while_migrations_are_missing(
        self, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("settlement.database_state.HEAD_REVISION", "9999")
        settings = settings_for(database)
        assert await asyncio.to_thread(why_not, settings, migrated=False) is None
        assert "lacks migrations" in str(await asyncio.to_thread(why_not, settings, migrated=True))
