"""A pytest plugin (`-p etebar_quickstart.django_environment`): what tests need that run core inside pytest.

pytest-django reads the settings before any conftest.py, so the environment is filled when this module is imported. Each
pytest-xdist worker has a settlement address of its own; the fixture `settlement` starts the service there.
"""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator

import psycopg2
import pytest

from etebar_quickstart import paths, services
from etebar_quickstart.environments import Environments
from etebar_quickstart.ports import Ports
from etebar_quickstart.process import ManagedProcess
from etebar_quickstart.record import ProcessRecord
from etebar_quickstart.testing import TestServers, servers

pytest_plugins = ("etebar_quickstart.testing",)

QUIET_AND_UNLIMITED = {
    "LOG_LEVEL": "WARNING",
    **{f"RATE_LIMIT_{name}": "off" for name in ("MERCHANT", "ADDRESS", "TOKEN", "TOKEN_ACCOUNT", "REGISTER")},
}
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
DATABASE = f"settlementdb_{WORKER}"


def _own_environments() -> Environments:
    shared = servers().environments
    ports = dataclasses.replace(shared.ports, settlement=Ports.free().settlement)
    return dataclasses.replace(shared, ports=ports)


ENVIRONMENTS = _own_environments()
os.environ.update(ENVIRONMENTS.core_owner() | QUIET_AND_UNLIMITED | {"DJANGO_SETTINGS_MODULE": "core.settings"})


@pytest.fixture(scope="session")
def settlement(etebar_servers: TestServers) -> Iterator[ManagedProcess]:
    """A real settlement service on the sandbox bank with a database of its own, where core's settings expect it."""
    _create_database(etebar_servers)
    overrides = {"DB_NAME": DATABASE, "LOG_LEVEL": "WARNING"}
    program = services.program("settlement", ENVIRONMENTS, etebar_servers.directory, overrides)
    process = ManagedProcess(
        dataclasses.replace(program, name=f"settlement-{WORKER}"),
        logs=etebar_servers.directory / "logs",
        record=ProcessRecord(etebar_servers.directory),
    )
    process.start()
    process.wait_ready()
    yield process
    process.stop()


def _create_database(etebar_servers: TestServers) -> None:
    connection = psycopg2.connect(etebar_servers.dsn())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} OWNER settlement")
    connection.close()
    environment = ENVIRONMENTS.settlement_owner() | {"DB_NAME": DATABASE}
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    subprocess.run(command, check=True, cwd=paths.SETTLEMENT, env=environment, capture_output=True)
