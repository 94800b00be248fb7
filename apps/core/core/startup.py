"""What is checked before core serves, and what it waits for."""

from functools import cache

from django.conf import settings
from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from core.environment import ENVIRONMENT


def unapplied_migrations() -> list[str]:
    """The names of migrations that this code has and the database has not; OperationalError when it is away."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def count_unapplied() -> int:
    """How many migrations this code has and the database has not, by one query; OperationalError when it is away."""
    return len(_known_migrations() - MigrationRecorder(connection).applied_migrations().keys())


def recorded_profile() -> str:
    """The profile that the database was made for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT profile FROM payments_deployment")
        return str(cursor.fetchone()[0])


def first_line(error: Exception) -> str:
    """What PostgreSQL says, without its hints and positions."""
    return str(error).strip().partition("\n")[0]


def refuse_unready_database() -> None:
    """Raises SystemExit with one clear line unless the database is there, migrated and of this profile."""
    try:
        missing = unapplied_migrations()
        if missing:
            raise SystemExit(
                f"core does not start: {len(missing)} migrations are not applied, the first is {missing[0]}; "
                "run `manage.py migrate` as the owner's role"
            )
        profile = recorded_profile()
    except OperationalError as error:
        raise SystemExit(
            f"core does not start: the database {ENVIRONMENT.database_url} is out of reach: {first_line(error)}"
        ) from error
    except ProgrammingError as error:
        raise SystemExit(
            f"core does not start: the role {ENVIRONMENT.db_user} cannot read {ENVIRONMENT.database_url}: "
            f"{first_line(error)}; run `manage.py migrate` as the owner's role, which grants what it needs"
        ) from error
    finally:
        connection.close()
    if profile != ENVIRONMENT.etebar_profile:
        raise SystemExit(
            f"core does not start: ETEBAR_PROFILE is {ENVIRONMENT.etebar_profile.value}, "
            f"but the database {settings.DATABASES['default']['NAME']} was made for {profile}"
        )
