"""Runs migrations as the database's owner and records what the installation is for."""

import os
import sys
from pathlib import Path

import sqlalchemy
from alembic import context

from etebar_common import crash
from etebar_common.crash import CrashPoint, crash_point
from etebar_common.environment import load

sys.path.insert(0, str(Path(__file__).parent))
from deployment_profile import record_profile, refuse_loosening

from settlement.database_state import is_ahead
from settlement.settings import SERVICE, DatabaseSettings


def run() -> None:
    # Tests hand their environment over; the command line has the process's.
    environ = context.config.attributes.get("environ", os.environ)
    settings = load(DatabaseSettings, f"{SERVICE} migration", environ)
    crash.configure(settings)
    url = sqlalchemy.URL.create(
        "postgresql+psycopg2",
        settings.db_user,
        settings.db_password.get_secret_value() or None,
        settings.db_host,
        settings.db_port,
        settings.db_name,
        settings.tls_options,
    )
    try:
        connection = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool).connect()
    except sqlalchemy.exc.OperationalError as error:
        place = f"{settings.db_name} at {settings.db_host}:{settings.db_port}"
        raise SystemExit(f"{SERVICE} is not migrated: {place} cannot be reached ({str(error.orig).strip()})") from None
    with connection, connection.begin():
        # One migration at a time: two Jobs of one rollout would otherwise race to create the same tables.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('settlement migrations'))")
        refuse_loosening(connection, settings.etebar_profile)
        context.configure(connection=connection, transaction_per_migration=False)
        revision = context.get_context().get_current_revision()
        if is_ahead(revision):
            # the code was rolled back, the database is not: what newer code added does not hurt (docs/adr/0015)
            print(f"{SERVICE}: the database is at migration {revision}, ahead of this code; nothing is done")  # noqa: T201
            return
        with context.begin_transaction():
            context.run_migrations()
        record_profile(connection, settings.etebar_profile)
        crash_point(CrashPoint.BEFORE_SETTLEMENT_MIGRATIONS_COMMIT)


if context.is_offline_mode():
    raise SystemExit("settlement's migrations run against a database only, for they record its profile")
run()
