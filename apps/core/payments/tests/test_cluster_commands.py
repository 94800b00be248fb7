"""What pods run beside the servers: waiting for the database, the first member of staff, signs of life."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from pydantic import SecretStr

from core import sign_of_life
from core.environment import ENVIRONMENT
from etebar_common import waiting
from payments.management.commands import ensure_admin, migrate, wait_for_database
from payments.tests.other_connection import connected

PASSWORD = "correct horse battery staple"


class TestMigrating:
    @pytest.mark.django_db(transaction=True)
    def test_waits_for_another_migrate(self) -> None:
        said = StringIO()

        def run() -> None:
            try:
                call_command("migrate", stdout=said)
            finally:
                connection.close()

        with connected() as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [migrate.LOCK])
            thread = threading.Thread(target=run)
            thread.start()
            deadline = time.monotonic() + 20
            while "waits for it" not in said.getvalue():
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert thread.is_alive()
            assert "No migrations to apply" not in said.getvalue()
        thread.join(20)
        assert "No migrations to apply" in said.getvalue()


class TestWaitingForTheDatabase:
    @pytest.mark.django_db(transaction=True)
    def test_ends_at_once_when_it_is_migrated(self) -> None:
        said = StringIO()
        call_command("wait_for_database", "--migrated", stdout=said)
        assert said.getvalue().split() == ["nothing", "to", "wait", "for"]

    @pytest.mark.django_db(transaction=True)
    def test_goes_on_while_migrations_are_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(wait_for_database, "unapplied_migrations", lambda: ["payments.9999_new"])
        assert wait_for_database.why_not(migrated=True) == (
            "1 migrations are not applied, the first is payments.9999_new"
        )
        assert wait_for_database.why_not(migrated=False) is None

    def test_names_a_database_that_is_away(self) -> None:
        command = [sys.executable, "manage.py", "wait_for_database"]
        process = subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "DB_HOST": "127.0.0.1", "DB_PORT": "1", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout as output:
            line = output.readline()
            process.terminate()
            process.wait()
        assert line.startswith("waiting: the database postgresql://")
        assert "@127.0.0.1:1/walletdb is out of reach" in line

    def test_says_each_reason_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(waiting, "INTERVAL_SECONDS", 0)
        reasons = iter(["away", "away", "not migrated", None])
        said: list[str] = []
        waiting.wait_until_nothing_is_missing(lambda: next(reasons), said.append)
        assert said == ["waiting: away", "waiting: not migrated", "nothing to wait for"]


@pytest.mark.django_db
class TestTheFirstMemberOfStaff:
    @pytest.fixture(autouse=True)
    def admin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set(monkeypatch, admin_username="first", admin_password=PASSWORD)

    def set(self, monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
        password = values.pop("admin_password")
        values["admin_password"] = None if password is None else SecretStr(password)
        monkeypatch.setattr(ensure_admin, "ENVIRONMENT", ENVIRONMENT.model_copy(update=values))

    def test_is_made_once_and_keeps_its_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        call_command("ensure_admin", stdout=StringIO())
        self.set(monkeypatch, admin_username="first", admin_password="another password")
        call_command("ensure_admin", stdout=StringIO())
        user = User.objects.get(username="first")
        assert (user.is_staff, user.is_superuser, user.check_password(PASSWORD)) == (True, True, True)

    def test_is_no_merchant_of_that_name(self) -> None:
        User.objects.create_user("first", password="p")
        with pytest.raises(CommandError, match="choose another ADMIN_USERNAME"):
            call_command("ensure_admin")

    def test_needs_a_name_and_a_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set(monkeypatch, admin_username="", admin_password=None)
        with pytest.raises(CommandError, match="ADMIN_USERNAME and ADMIN_PASSWORD are needed"):
            call_command("ensure_admin")

    def test_has_a_password_that_the_rules_allow(self, settings: Any) -> None:
        settings.AUTH_PASSWORD_VALIDATORS = [
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": len(PASSWORD) + 1},
            }
        ]
        with pytest.raises(CommandError, match="This password is too short"):
            call_command("ensure_admin")
        assert not User.objects.filter(username="first").exists()


class TestSignsOfLife:
    @pytest.fixture
    def redis(self) -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=self.accept, args=(server,), daemon=True).start()
            yield f"redis://:password@127.0.0.1:{server.getsockname()[1]}/0"

    @staticmethod
    def accept(server: socket.socket) -> None:
        try:
            server.accept()[0].close()
        except OSError:
            return

    def old(self, path: Path) -> Path:
        sign_of_life.touch(path)
        past = time.time() - sign_of_life.LONGEST_SILENCE_SECONDS - 1
        os.utime(path, (past, past))
        return path

    def test_are_young(self, tmp_path: Path, redis: str) -> None:
        sign_of_life.touch(tmp_path / "alive")
        assert sign_of_life.is_alive(tmp_path / "alive", redis)

    def test_that_are_old_are_none(self, tmp_path: Path, redis: str) -> None:
        assert not sign_of_life.is_alive(self.old(tmp_path / "alive"), redis)

    def test_may_be_old_while_redis_is_away(self, tmp_path: Path) -> None:
        assert sign_of_life.is_alive(self.old(tmp_path / "alive"), "redis://127.0.0.1:1/0")

    def test_are_given_nowhere_when_nobody_looks(self) -> None:
        sign_of_life.touch(None)
        sign_of_life.remove(None)

    def test_of_an_earlier_process_are_removed(self, tmp_path: Path) -> None:
        sign_of_life.touch(tmp_path / "alive")
        sign_of_life.remove(tmp_path / "alive")
        assert not (tmp_path / "alive").exists()


class TestAContainerThatIsRestarted:
    def test_is_not_draining_because_the_process_before_it_was(self, tmp_path: Path) -> None:
        settings = ENVIRONMENT.model_copy(update={"draining_file": tmp_path / "draining"})
        settings.begin_serving()
        (tmp_path / "draining").touch()
        assert settings.is_draining
        settings.begin_serving()
        assert not settings.is_draining
