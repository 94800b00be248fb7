"""Factories and small tools of the settlement tests; plain functions, no magic."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from socket import socket
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
from alembic import command
from alembic.config import Config
from pydantic import SecretStr

from etebar_common.environment import Profile
from etebar_quickstart.ports import HOST
from etebar_quickstart.testing import TestServers
from settlement.main import build_app
from settlement.payouts.records import PayoutOrder
from settlement.settings import Settings

APP_DIRECTORY = Path(__file__).parent.parent
TOKEN = "token-" + "t" * 32
NEXT_TOKEN = "token-" + "n" * 32
FINGERPRINT_KEY = "fingerprint-" + "k" * 32
ACCOUNT = "IRTEST0000000000001"
WITHDRAW = "/api/settlement/withdraw"
BATCH = "/api/settlement/withdraw/batch"
PAYOUTS = "/api/settlement/payouts"


@dataclass(frozen=True)
class TestDatabase:
    """Where a migrated database is, and ways in: as a role for checks, as environment for processes."""

    __test__ = False
    servers: TestServers
    name: str

    @property
    def port(self) -> int:
        return self.servers.environments.ports.postgres

    def password(self, role: str) -> str:
        return self.servers.environments.secrets.of_role(role)

    @asynccontextmanager
    async def connect(self, user: str = "postgres") -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.servers.dsn(user, self.name))
        try:
            yield connection
        finally:
            await connection.close()

    async def rows(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        async with self.connect() as connection:
            return await connection.fetch(statement, *values)

    async def value(self, statement: str, *values: Any) -> Any:
        async with self.connect() as connection:
            return await connection.fetchval(statement, *values)

    async def transfer(self, withdrawal_id: str) -> asyncpg.Record | None:
        """What the sandbox bank has in its books."""
        async with self.connect() as connection:
            return await connection.fetchrow("SELECT * FROM sandbox_transfers WHERE reference = $1", withdrawal_id)

    async def expire_lease(self, withdrawal_id: str) -> None:
        async with self.connect() as connection:
            await connection.execute(
                "UPDATE payouts SET lease_until = now() - interval '1 s' WHERE withdrawal_id = $1::uuid", withdrawal_id
            )

    def environ(self, profile: str = "test", user: str = "settlement_app", **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "ETEBAR_PROFILE": profile,
            "DB_HOST": HOST,
            "DB_PORT": str(self.port),
            "DB_NAME": self.name,
            "DB_USER": user,
            "DB_PASSWORD": self.password(user),
            "INTERNAL_TOKEN": TOKEN,
            "ACCOUNT_FINGERPRINT_KEY": FINGERPRINT_KEY,
            **more,
        }

    def upgrade(self, profile: str = "test") -> None:
        """Migrates without a process of its own; SystemExit as the command would."""
        command.upgrade(self._alembic_config(profile), "head")

    def downgrade(self, profile: str = "test") -> None:
        command.downgrade(self._alembic_config(profile), "base")

    def _alembic_config(self, profile: str) -> Config:
        config = Config(APP_DIRECTORY / "alembic.ini")
        config.attributes["environ"] = self.environ(profile, "settlement")
        return config

    def alembic(self, *arguments: str, profile: str = "test", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=APP_DIRECTORY,
            env=self.environ(profile, "settlement") | environ,
            capture_output=True,
            text=True,
            check=False,
        )


def settings_for(database: TestDatabase, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "etebar_profile": Profile.TEST,
        "db_host": HOST,
        "db_port": database.port,
        "db_name": database.name,
        "db_password": SecretStr(database.password("settlement_app")),
        "internal_token": SecretStr(TOKEN),
        "internal_token_next": SecretStr(NEXT_TOKEN),
        "account_fingerprint_key": SecretStr(FINGERPRINT_KEY),
        "sandbox_slow_seconds": 0.4,
        # a busy machine is no reason for 202; tests of the deadline set their own
        "withdraw_deadline_ms": 20_000,
        "shutdown_grace_seconds": 1,
    }
    return Settings(**values | changes)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the service, which is started and shut down as uvicorn would."""
    app = build_app(settings)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://settlement", headers=token()) as client,
    ):
        yield client


def token(value: str = TOKEN) -> dict[str, str]:
    return {"X-Internal-Token": value}


def withdrawal(**changes: Any) -> dict[str, Any]:
    body = {
        "withdrawal_id": str(uuid4()),
        "merchant_id": 7,
        "account_id": str(uuid4()),
        "amount": "1.00",
        "account": ACCOUNT,
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def order(**changes: Any) -> PayoutOrder:
    values = {
        "withdrawal_id": uuid4(),
        "merchant_id": 7,
        "account_id": uuid4(),
        "amount": Decimal("1.00"),
        "account": ACCOUNT,
        "account_fingerprint": "0" * 64,
    }
    return PayoutOrder(**values | changes)


def assert_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    return problem


def fields_of(problem: dict[str, Any]) -> list[str]:
    return [error["field"] for error in problem["errors"]]


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """The service as it is run in earnest: uvicorn, a process of its own."""

    def __init__(self, environ: dict[str, str]) -> None:
        port = free_port()
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers=token(), timeout=15)
        options = ["--factory", "--no-proxy-headers", "--port", str(port)]
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "settlement.main:create_app", *options],
            cwd=APP_DIRECTORY,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_until_serving(self) -> None:
        for _ in range(200):
            try:
                self.client.get("/healthz")
            except httpx2.TransportError:
                assert self.popen.poll() is None, self.popen.communicate()[0]
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the service did not start")


@contextmanager
def process(environ: dict[str, str]) -> Iterator[Process]:
    started = Process(environ)
    try:
        yield started
    finally:
        started.client.close()
        started.popen.kill()
        started.popen.communicate()
