"""manage.py wait_for_database [--migrated]: ends when the database answers; or is migrated, too."""

import functools
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, ProgrammingError, connection

from core.environment import ENVIRONMENT
from core.startup import first_line, unapplied_migrations
from etebar_common.waiting import wait_until_nothing_is_missing


def why_not(*, migrated: bool) -> str | None:
    """Why the database cannot be used yet, None if it can."""
    try:
        connection.ensure_connection()
        missing = unapplied_migrations() if migrated else []
    except OperationalError as error:
        return f"the database {ENVIRONMENT.database_url} is out of reach: {first_line(error)}"
    except ProgrammingError as error:
        # what may be read is granted by the migrations
        return f"the database {ENVIRONMENT.database_url} is not migrated: {first_line(error)}"
    finally:
        connection.close()
    return f"{len(missing)} migrations are not applied, the first is {missing[0]}" if missing else None


class Command(BaseCommand):
    help = "Waits until the database answers; with --migrated, until all migrations of this code are applied."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--migrated", action="store_true", help="wait until it is migrated, too")

    def handle(self, *_: Any, **options: Any) -> None:
        wait_until_nothing_is_missing(functools.partial(why_not, migrated=options["migrated"]), self.stdout.write)
