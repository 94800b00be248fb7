"""The profile in the database: what clearing asks, and what the service must agree with to start."""

from sqlalchemy import Connection

from etebar_common.environment import Profile

_READ = "SELECT profile FROM deployment"
_WRITE = """
INSERT INTO deployment (profile) VALUES (%s)
ON CONFLICT (only_row) DO UPDATE SET profile = excluded.profile WHERE deployment.profile <> excluded.profile
"""


def refuse_loosening(connection: Connection, profile: Profile) -> None:
    """SystemExit if a database that was recorded as production is now to be a sandbox."""
    if not _has_table(connection):
        return
    recorded = connection.exec_driver_sql(_READ).scalar()
    if recorded == Profile.PRODUCTION and profile.is_sandboxed:
        raise SystemExit(f"settlement is not migrated: its database is of profile {recorded}, never to be {profile}")


def record_profile(connection: Connection, profile: Profile) -> None:
    if _has_table(connection):
        connection.exec_driver_sql(_WRITE, (profile.value,))


def _has_table(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT to_regclass('public.deployment')").scalar() is not None
