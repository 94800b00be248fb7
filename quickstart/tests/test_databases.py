"""Who may reach which database, and by what."""

import os
from pathlib import Path

import psutil
import psycopg2
import pytest
import redis

from etebar_quickstart import Ports, RedisServer, roles
from etebar_quickstart.postgres import PostgresOptions, PostgresServer
from etebar_quickstart.record import ProcessRecord
from etebar_quickstart.redis_server import connect
from etebar_quickstart.testing import TestServers

from .factories import databases, query

OWN = [
    ("wallet", "walletdb"),
    ("wallet_app", "walletdb"),
    ("settlement", "settlementdb"),
    ("settlement_app", "settlementdb"),
    ("etebar_audit", "walletdb"),
    ("etebar_audit", "settlementdb"),
]
FOREIGN = [
    ("wallet", "settlementdb"),
    ("wallet_app", "settlementdb"),
    ("settlement", "walletdb"),
    ("settlement_app", "walletdb"),
]


class TestRoles:
    @pytest.mark.parametrize(("role", "database"), OWN)
    def test_a_role_reaches_its_own_database(self, shared: TestServers, role: str, database: str) -> None:
        assert query(shared.dsn(role, database), "SELECT current_user") == [(role,)]

    @pytest.mark.parametrize(("role", "database"), FOREIGN)
    def test_no_role_reaches_the_other_services_database(self, shared: TestServers, role: str, database: str) -> None:
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            query(shared.dsn(role, database), "SELECT 1")

    @pytest.mark.parametrize("role", [*roles.ROLES, "postgres"])
    def test_a_wrong_password_and_none_are_refused(self, shared: TestServers, role: str) -> None:
        for password in ("wrong", None):
            with pytest.raises(psycopg2.OperationalError, match=r"password authentication failed|no password supplied"):
                psycopg2.connect(
                    host="127.0.0.1",
                    port=shared.environments.ports.postgres,
                    dbname="walletdb",
                    user=role,
                    password=password,
                    passfile=os.devnull,
                )

    def test_passwords_are_kept_as_scram_verifiers(self, shared: TestServers) -> None:
        rows = query(shared.dsn(), "SELECT rolpassword FROM pg_authid WHERE rolcanlogin")
        assert len(rows) == len(roles.ROLES) + 1
        assert all(str(password).startswith("SCRAM-SHA-256$") for (password,) in rows)

    def test_owners_own_and_nobody_is_more_than_that(self, shared: TestServers) -> None:
        owners = query(
            shared.dsn(),
            "SELECT datname, pg_get_userbyid(datdba) FROM pg_database"
            " WHERE datname IN ('walletdb', 'settlementdb') ORDER BY 1",
        )
        assert owners == [("settlementdb", "settlement"), ("walletdb", "wallet")]
        powers = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND (rolsuper OR rolcreaterole OR rolbypassrls)"
        assert query(shared.dsn(), powers) == [("postgres",)]

    def test_tests_may_create_databases_as_owner_but_not_as_application(self, shared: TestServers) -> None:
        rows = query(shared.dsn(), "SELECT rolname FROM pg_roles WHERE rolcreatedb AND NOT rolsuper ORDER BY 1")
        assert rows == [("settlement",), ("wallet",)]

    def test_in_production_nobody_creates_databases(self, state: Path) -> None:
        with databases(state, profile="production") as stack:
            rows = query(
                stack.dsn("postgres", "postgres"), "SELECT count(*) FROM pg_roles WHERE rolcreatedb AND NOT rolsuper"
            )
        assert rows == [(0,)]

    @pytest.mark.parametrize(("role", "database"), OWN)
    def test_a_statement_has_its_time_unless_it_is_an_owners(
        self, shared: TestServers, role: str, database: str
    ) -> None:
        expected = "0" if role in ("wallet", "settlement") else roles.APP_STATEMENT_TIMEOUT
        assert query(shared.dsn(role, database), "SHOW statement_timeout") == [(expected,)]

    def test_the_application_cannot_create_tables(self, shared: TestServers) -> None:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            query(shared.dsn("wallet_app", "walletdb"), "CREATE TABLE intruder (id int)")


class TestPostgresServer:
    def test_it_does_not_run_as_root_and_listens_on_this_machine_only(self, state: Path) -> None:
        with databases(state) as stack:
            process = psutil.Process(stack.process("postgres").pid)
            assert process.uids().effective != 0
            listening = [one for one in process.net_connections() if one.status == psutil.CONN_LISTEN]
            assert [one.laddr for one in listening] == [("127.0.0.1", stack.ports.postgres)]
            sockets = query(stack.dsn("postgres", "postgres"), "SHOW unix_socket_directories")
        assert sockets == [("",)]

    def test_what_it_commits_is_on_disk_unless_a_test_says_otherwise(self, state: Path) -> None:
        settings = "SELECT setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
        for durable, expected in ((True, "on"), (False, "off")):
            with databases(state, durable=durable) as stack:
                assert set(query(stack.dsn("postgres", "postgres"), settings)) == {(expected,)}

    def test_it_can_be_used_alone(self, state: Path) -> None:
        options = PostgresOptions(
            directory=state / "postgres", port=Ports.free().postgres, password="chosen", durable=False
        )
        server = PostgresServer(options, logs=state, record=ProcessRecord(state), report=lambda _line: None)
        server.start()
        try:
            assert query(server.dsn(), "SELECT current_user") == [("postgres",)]
        finally:
            server.stop()


class TestRedisServer:
    def test_it_wants_its_password(self, shared: TestServers) -> None:
        with (
            connect(f"redis://127.0.0.1:{shared.environments.ports.redis}/0") as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()

    def test_its_password_is_on_no_command_line(self, state: Path) -> None:
        with databases(state) as stack:
            command = psutil.Process(stack.process("redis").pid).cmdline()
            assert stack.environments.secrets.redis_password not in " ".join(command)

    def test_it_can_be_used_alone(self, state: Path) -> None:
        server = RedisServer(
            port=Ports.free().redis, password="p", logs=state, record=ProcessRecord(state), report=lambda _line: None
        )
        server.start()
        try:
            with server.client() as client:
                client.rpush("list", "a", "b")
                assert client.llen("list") == 2
        finally:
            server.stop()
