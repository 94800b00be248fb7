"""`python -m settlement.wait_for_database [--migrated]`: ends when the database answers; or is migrated, too."""

import argparse
import asyncio
import functools

from etebar_common.environment import load
from etebar_common.waiting import wait_until_nothing_is_missing
from settlement.database_state import UnusableDatabaseError, require_migrated, require_reachable
from settlement.settings import SERVICE, DatabaseSettings


def why_not(settings: DatabaseSettings, *, migrated: bool) -> str | None:
    """Why the database cannot be used yet, None if it can."""
    try:
        asyncio.run(require_migrated(settings) if migrated else require_reachable(settings))
    except UnusableDatabaseError as error:
        return str(error)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Waits until settlement's database answers.")
    parser.add_argument("--migrated", action="store_true", help="wait until it is migrated, too")
    migrated = parser.parse_args().migrated
    settings = load(DatabaseSettings, SERVICE)
    wait_until_nothing_is_missing(functools.partial(why_not, settings, migrated=migrated), print)


if __name__ == "__main__":
    main()
