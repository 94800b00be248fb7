"""Stacks without services, owners in processes of their own, and what is left of them."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg2

from etebar_quickstart import Ports, Stack
from etebar_quickstart.postgres_data import default_template

# Opens databases only, says which processes it started, and stays until it is killed.
OWNER = """
import json, pathlib, sys, time
from etebar_quickstart import Ports, Stack
from etebar_quickstart.postgres_data import default_template
state, ports = pathlib.Path(sys.argv[1]), Ports(**json.loads(sys.argv[2]))
with Stack(state, ports=ports, migrate=False, durable=False, template=default_template()) as stack:
    print(json.dumps({name: stack.process(name).pid for name in ("postgres", "redis")}), flush=True)
    time.sleep(600)
"""


def databases(state: Path, ports: Ports | None = None, **options: object) -> Stack:
    """A stack of PostgreSQL and Redis only, quick to start."""
    defaults = {"migrate": False, "durable": False, "template": default_template()}
    return Stack(state, ports=ports, **{**defaults, **options})  # type: ignore[arg-type]


@contextlib.contextmanager
def owner_process(state: Path, ports: Ports) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """Another process that owns `state`, and the ids of its servers; killed at the end if it still lives."""
    command = [sys.executable, "-c", OWNER, str(state), json.dumps(vars(ports))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        try:
            yield owner, json.loads(owner.stdout.readline())
        finally:
            owner.kill()


def command_line(
    *arguments: str, environment: Mapping[str, str], timeout_seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """`python -m etebar_quickstart` as a person runs it."""
    command = [sys.executable, "-m", "etebar_quickstart", *arguments]
    return subprocess.run(
        command,
        check=False,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
    )


def query(dsn: str, statement: str) -> list[tuple[object, ...]]:
    """The rows of one statement, committed."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()
