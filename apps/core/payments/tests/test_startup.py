"""Core refuses to start with wrong settings or an unready database, in clear lines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from core import health
from core.environment import ENVIRONMENT, CoreEnvironment
from core.startup import refuse_unready_database, unapplied_migrations
from etebar_common.environment import load
from etebar_quickstart.testing import TestServers
from payments.tests.other_connection import connected

CORE = Path(__file__).parents[2]
SECRET = "s" * 32
GOOD = {
    "SECRET_KEY": SECRET,
    "JWT_SIGNING_KEY": SECRET,
    "ACCOUNT_ENCRYPTION_KEY": SECRET,
    "ACCOUNT_FINGERPRINT_KEY": SECRET,
    "INTERNAL_TOKEN": SECRET,
}


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
            ("LOG_LEVEL", "loud"),
            ("REDIS_URL", "127.0.0.1:6379"),
            ("CELERY_BROKER_URL", "amqp://127.0.0.1"),
            ("SETTLEMENT_URL", "127.0.0.1:9000"),
        ],
    )
    def test_each_wrong_one_gets_a_line(self, name: str, value: str) -> None:
        lines = refusal(**{name: value}).splitlines()
        assert len(lines) == 2
        assert lines[1].startswith(f"  {name}")

    @pytest.mark.parametrize("level", ["debug", "Debug", "DEBUG"])
    def test_the_log_level_is_taken_in_capitals_or_not(self, level: str) -> None:
        assert load(CoreEnvironment, "core", GOOD | {"LOG_LEVEL": level}).log_level == "DEBUG"

    def test_a_wrong_url_is_not_shown(self) -> None:
        message = refusal(REDIS_URL="http://:pass@redis")
        assert message.splitlines()[1:] == ["  REDIS_URL: must begin with redis://, rediss:// or unix://"]

    @pytest.mark.parametrize(
        ("url", "broker_url"),
        [
            ("rediss://redis:6379/1", "rediss://redis:6379/1"),
            ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?virtual_host=2"),
        ],
    )
    def test_the_broker_is_redis_as_celery_names_it(self, url: str, broker_url: str) -> None:
        assert load(CoreEnvironment, "core", GOOD | {"REDIS_URL": url}).broker_url == broker_url

    @pytest.mark.parametrize(
        ("url", "complete"),
        [
            ("redis://redis:6379/0", "redis://:p%2F%40@redis:6379/0"),
            ("rediss://app@redis/1?ssl_cert_reqs=required", "rediss://app:p%2F%40@redis/1?ssl_cert_reqs=required"),
            ("redis://app:own@redis/1", "redis://app:own@redis/1"),
            ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ],
    )
    def test_the_password_of_redis_comes_by_itself(self, url: str, complete: str) -> None:
        found = load(CoreEnvironment, "core", GOOD | {"REDIS_URL": url, "REDIS_PASSWORD": "p/@"})
        assert found.redis_url == complete

    def test_beats_schedule_is_at_no_predictable_path_in_a_shared_directory(self) -> None:
        assert not hasattr(settings, "CELERY_BEAT_SCHEDULE_FILENAME")

    def test_secrets_may_be_files(self, tmp_path: Path) -> None:
        file = tmp_path / "secret"
        file.write_text(SECRET + "\n")
        environ = GOOD | {"SECRET_KEY": "", "SECRET_KEY_FILE": str(file)}
        loaded = load(CoreEnvironment, "core", {name: value for name, value in environ.items() if value})
        assert loaded.secret_key.get_secret_value() == SECRET

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
    def test_one_without_the_grants_is_refused_in_one_line(self, etebar_servers: TestServers) -> None:
        password = etebar_servers.environments.secrets.of_role("wallet_app")
        with connected() as owner, owner.cursor() as cursor:
            cursor.execute("REVOKE SELECT ON django_migrations FROM wallet_app")
            owner.commit()
            try:
                ended = start_web(DB_NAME=owner.info.dbname, DB_USER="wallet_app", DB_PASSWORD=password)
            finally:
                cursor.execute("GRANT SELECT ON django_migrations TO wallet_app")
                owner.commit()
        assert ended.returncode == 1
        assert len(ended.stderr.strip().splitlines()) == 1
        assert "core does not start: the role wallet_app cannot read" in ended.stderr
        assert "permission denied for table django_migrations" in ended.stderr

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

    def test_readiness_ends_when_the_process_is_about_to(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        draining = tmp_path / "draining"
        monkeypatch.setattr(health, "ENVIRONMENT", ENVIRONMENT.model_copy(update={"draining_file": draining}))
        assert APIClient().get("/readyz").status_code == 200
        draining.touch()
        answer = APIClient().get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert APIClient().get("/healthz").status_code == 200

    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_a_probe_takes_no_post(self, path: str) -> None:
        answer = Client(enforce_csrf_checks=True).post(path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
