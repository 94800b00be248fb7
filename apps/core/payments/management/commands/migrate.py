"""Django's migrate, one at a time on a database: two Jobs at once would both make the same table."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

# any number that no other program of ours takes
LOCK = 20260008


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Waits, saying so, until no other session migrates this database. An error ends the session, and its lock."""
        with connections[options["database"]].cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                self.stdout.write("Another migrate is under way; this one waits for it.")
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            super().handle(*args, **options)
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
