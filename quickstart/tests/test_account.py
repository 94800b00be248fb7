"""Root lends its rights to nobody more than the way to PostgreSQL's own files needs."""

import os
import stat
from pathlib import Path

from etebar_quickstart.account import Account, make_passable, make_readable

STRANGER = Account(uid=65500, gid=65500)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestWay:
    def test_a_closed_directory_can_be_passed_but_not_listed(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        assert make_passable(tmp_path, STRANGER)
        assert mode(tmp_path) == 0o701

    def test_an_open_one_is_left_alone(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        assert not make_passable(tmp_path, STRANGER)
        assert mode(tmp_path) == 0o755

    def test_the_owners_right_counts_for_the_owner(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        assert not make_passable(tmp_path, Account(os.geteuid(), os.getegid()))
        assert mode(tmp_path) == 0o700


class TestPackage:
    def test_what_a_strict_umask_closed_is_opened_for_reading_only(self, tmp_path: Path) -> None:
        program, text = tmp_path / "postgres", tmp_path / "text"
        for path, closed in ((program, 0o700), (text, 0o600), (tmp_path, 0o700)):
            path.touch() if path != tmp_path else None
            path.chmod(closed)
        make_readable(tmp_path, STRANGER)
        assert [mode(path) for path in (program, text, tmp_path)] == [0o705, 0o604, 0o705]
