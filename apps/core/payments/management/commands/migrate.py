"""Django's migrate, one at a time on a database: two Jobs at once would both make the same table."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from etebar_common.crash import CrashPoint, crash_point

# any number that no other program of ours takes
LOCK = 20260008


class Command(migrate.Command):
    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:  # noqa: FBT001, FBT002
        """Django's own, and a place to die between two migrations."""
        super().migration_progress_callback(action, migration, fake)
        if action == "apply_success":
            crash_point(CrashPoint.CORE_MIGRATION_APPLIED)

    def handle(self, *args: Any, **options: Any) -> None:
        """Waits, saying so, until no other session migrates this database. An error ends the session, and its lock."""
        with connections[options["database"]].cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                self.stdout.write("Another migrate is under way; this one waits for it.")
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            super().handle(*args, **options)
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
