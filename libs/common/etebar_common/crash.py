"""Named crash points: places where a process can be told to kill itself, so that tests can prove what survives."""

import contextlib
import os
import signal
from enum import StrEnum
from pathlib import Path

from etebar_common.environment import Environment, Profile


class CrashPoint(StrEnum):
    """In the order in which a withdrawal passes them; then what works at it later, changes tables, or keeps objects."""

    BEFORE_RESERVE_COMMIT = "before_reserve_commit"
    AFTER_RESERVE_COMMIT = "after_reserve_commit"
    BEFORE_SETTLE = "before_settle"
    AFTER_PAYOUT_RECORDED = "after_payout_recorded"
    AFTER_RAIL_PAID = "after_rail_paid"
    AFTER_PAYOUT_DECIDED = "after_payout_decided"
    BEFORE_CONFIRM = "before_confirm"
    BEFORE_CONFIRM_COMMIT = "before_confirm_commit"
    AFTER_CONFIRM = "after_confirm"
    DISPATCH_CLAIMED = "dispatch_claimed"
    DISPATCH_ANSWERED = "dispatch_answered"
    CORE_MIGRATION_APPLIED = "core_migration_applied"
    BEFORE_SETTLEMENT_MIGRATIONS_COMMIT = "before_settlement_migrations_commit"
    DECISION_CONCLUDED = "decision_concluded"
    WEBHOOK_CLAIMED = "webhook_claimed"
    WEBHOOK_SENT = "webhook_sent"
    OPERATOR_SECRET_WRITTEN = "operator_secret_written"  # noqa: S105 - a place, no password
    OPERATOR_CORE_ANSWERED = "operator_core_answered"


_armed_by: Path | None = None


def configure(settings: Environment) -> None:
    """Lets the test profile arm crash points through a file; every other profile refuses to start with one."""
    global _armed_by  # noqa: PLW0603 - one per process, set once at start
    if settings.crash_point_file and settings.etebar_profile is not Profile.TEST:
        raise SystemExit("CRASH_POINT_FILE is for ETEBAR_PROFILE=test only")
    _armed_by = settings.crash_point_file


def crash_point(point: CrashPoint) -> None:
    """Kills this process with SIGKILL if the file names the point.

    The file is renamed first, to its name and the process's id: hit once, and known by whom.
    """
    if _armed_by is not None and is_armed(point):
        with contextlib.suppress(FileNotFoundError):
            _armed_by.rename(f"{_armed_by}.{os.getpid()}")
            os.kill(os.getpid(), signal.SIGKILL)


def is_armed(point: CrashPoint) -> bool:
    """Whether the file names this point now."""
    if _armed_by is None:
        return False
    try:
        return _armed_by.read_text().strip() == point
    except FileNotFoundError:
        return False
