"""Runs roles.sql: the roles and databases that both services need before their migrations."""

import subprocess
from pathlib import Path

from etebar_quickstart import paths
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.postgres import PostgresServer
from etebar_quickstart.postgres_data import postgres_environment
from etebar_quickstart.secret_store import Secrets

SCRIPT = Path(__file__).with_name("roles.sql")
ROLES = ("wallet", "wallet_app", "settlement", "settlement_app", "etebar_audit")
APP_STATEMENT_TIMEOUT = "30s"


def create(server: PostgresServer, secrets: Secrets, *, owners_may_create_databases: bool) -> None:
    """Makes what is missing and sets the passwords; changes nothing else however often it is run."""
    passwords = {f"{role.upper()}_PASSWORD": secrets.of_role(role) for role in ROLES}
    done = subprocess.run(
        [paths.POSTGRES_BINARIES / "psql", "--no-psqlrc", "--quiet", "--file", SCRIPT],
        check=False,
        capture_output=True,
        text=True,
        env={
            **postgres_environment(),
            **passwords,
            **server.psql_environment(),
            "OWNERS_MAY": "CREATEDB" if owners_may_create_databases else "NOCREATEDB",
            "APP_STATEMENT_TIMEOUT": APP_STATEMENT_TIMEOUT,
        },
    )
    if done.returncode:
        raise QuickstartError("the database roles could not be made", done.stderr.splitlines()[-8:])
