"""Core refuses to start with wrong settings or an unready database, in clear lines."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from core import health, startup
from core.environment import CoreEnvironment
from core.startup import refuse_unready_database, unapplied_migrations
from etebar_common.environment import load
from payments.tests.other_connection import connected

CORE = Path(__file__).parents[2]
SECRET = "s" * 32
GOOD = {"SECRET_KEY": SECRET, "JWT_SIGNING_KEY": SECRET, "ACCOUNT_FINGERPRINT_KEY": SECRET, "INTERNAL_TOKEN": SECRET}


def refusal(**changes: str) -> str:
    with pytest.raises(SystemExit) as refused:
        load(CoreEnvironment, "core", {name: value for name, value in (GOOD | changes).items() if value})
    return str(refused.value)


class TestSettings:
    def test_good_ones_are_taken(self) -> None:
        assert load(CoreEnvironment, "core", GOOD).db_name == "walletdb"

    @pytest.mark.parametrize("name", GOOD)
    def test_a_missing_secret_is_named(self, name: str) -> None:
        assert refusal(**{name: ""}).splitlines()[1:] == [f"  {name} is missing"]

    @pytest.mark.parametrize("name", GOOD)
    def test_a_short_secret_is_named_and_not_shown(self, name: str) -> None:
        message = refusal(**{name: "too-short"})
        assert message.splitlines()[1:] == [f"  {name} is too short: at least 32 characters are needed"]
        assert "too-short" not in message

    def test_debug_in_production_is_refused(self) -> None:
        assert "DEBUG must be off" in refusal(DEBUG="true")
        assert load(CoreEnvironment, "core", GOOD | {"DEBUG": "true", "ETEBAR_PROFILE": "sandbox"}).debug

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ETEBAR_PROFILE", "staging"),
            ("DB_PORT", "five"),
            ("TRUSTED_PROXIES", "10.0.0.0/99"),
            ("RATE_LIMIT_MERCHANT", "many"),
            ("SETTLE_DEADLINE_SECONDS", "0"),
            ("CONN_MAX_AGE", "-1"),
        ],
    )
    def test_each_wrong_one_gets_a_line(self, name: str, value: str) -> None:
        lines = refusal(**{name: value}).splitlines()
        assert len(lines) == 2
        assert lines[1].startswith(f"  {name}")

    def test_secrets_may_be_files(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text(SECRET + "\n")
        environ = GOOD | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(file)}
        settings = load(CoreEnvironment, "core", {name: value for name, value in environ.items() if value})
        assert settings.secret_key.get_secret_value() == SECRET

    def test_a_secret_file_that_cannot_be_read_is_named(self) -> None:
        assert "SECRET_KEY_FILE: /nowhere cannot be read" in refusal(SECRET_KEY="", SECRET_KEY_FILE="/nowhere")

    def test_the_process_ends_with_the_lines_and_no_traceback(self) -> None:
        environ = os.environ | {"SECRET_KEY": "short", "ETEBAR_PROFILE": "production", "DEBUG": "1"}
        ended = subprocess.run(
            [sys.executable, "manage.py", "check"], cwd=CORE, env=environ, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 1
        assert "SECRET_KEY is too short" in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_crash_points_are_for_tests_only(self) -> None:
        environ = os.environ | {"ETEBAR_PROFILE": "sandbox", "CRASH_POINT_FILE": "/tmp/x"}  # noqa: S108 - never made
        ended = subprocess.run(
            [sys.executable, "manage.py", "check"], cwd=CORE, env=environ, capture_output=True, text=True, check=False
        )
        assert "CRASH_POINT_FILE is for ETEBAR_PROFILE=test only" in ended.stderr


def start_web(**changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import core.wsgi"],
        cwd=CORE,
        env=os.environ | changes,
        capture_output=True,
        text=True,
        check=False,
    )


class TestDatabase:
    def test_one_that_is_away_is_refused_in_one_line(self) -> None:
        ended = start_web(DB_PORT="1")
        assert ended.returncode == 1
        assert ended.stderr.strip().startswith(
            "core does not start: the database postgresql://wallet@127.0.0.1:1/walletdb"
        )
        assert len(ended.stderr.strip().splitlines()) == 1

    def test_one_that_is_not_migrated_is_refused_naming_the_command(self) -> None:
        ended = start_web(DB_NAME="walletdb")
        assert "migrations are not applied" in ended.stderr
        assert "manage.py migrate" in ended.stderr

    @pytest.mark.django_db(transaction=True)
    def test_one_of_another_profile_is_refused(self) -> None:
        with connected() as owner, owner.cursor() as cursor:
            cursor.execute("UPDATE payments_deployment SET profile = 'production'")
            owner.commit()
            try:
                with pytest.raises(SystemExit, match="was made for production"):
                    refuse_unready_database()
            finally:
                cursor.execute("UPDATE payments_deployment SET profile = 'test'")
                owner.commit()

    @pytest.mark.django_db(transaction=True)
    def test_a_ready_one_is_ready(self) -> None:
        assert unapplied_migrations() == []
        refuse_unready_database()
        assert APIClient().get("/readyz").json() == {"status": "ready"}
        assert APIClient().get("/healthz").json() == {"status": "ok"}

    @pytest.mark.django_db(transaction=True)
    def test_readiness_tells_missing_migrations(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(startup, "_is_migrated", False)
        monkeypatch.setattr(startup, "unapplied_migrations", lambda: ["payments.9999_new"])
        answer = APIClient().get("/readyz")
        assert (answer.status_code, answer.json()["detail"]) == (503, "1 migrations are not applied")

    @pytest.mark.django_db(transaction=True)
    def test_readiness_tells_a_lost_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> Any:
            raise OperationalError("gone")

        monkeypatch.setattr(health, "_ask_database", away)
        assert APIClient().get("/readyz").status_code == 503
        assert APIClient().get("/healthz").status_code == 200
