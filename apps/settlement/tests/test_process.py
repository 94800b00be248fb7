import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from settlement_helpers import PAYOUTS, WITHDRAW, Process, TestDatabase, free_port, process, settings_for, withdrawal

from etebar_common import crash
from etebar_quickstart.services import program
from settlement.database_state import refuse_start_without_database


def refusal(environ: dict[str, str]) -> str:
    """What a process that refuses to start says."""
    started = Process(environ)
    started.client.close()
    said, _ = started.popen.communicate(timeout=20)
    assert started.popen.returncode == 1
    return said


class TestTheServiceRefusesToStart:
    def test_without_a_database_in_one_line(self, database: TestDatabase) -> None:
        said = refusal(database.environ() | {"DB_PORT": str(free_port())})
        assert said.startswith("settlement does not start: the database ")
        assert "cannot be reached as settlement_app" in said
        assert said.count("\n") == 1

    def test_with_wrong_settings_in_one_line_each(self, database: TestDatabase) -> None:
        said = refusal(database.environ() | {"INTERNAL_TOKEN": "short", "RAIL": "http"})
        assert said.splitlines() == [
            "settlement does not start, its settings are not right:",
            "  INTERNAL_TOKEN is too short: at least 32 characters are needed",
            "  BANK_URL: is missing; RAIL=http needs it",
            "  BANK_TOKEN: is missing; RAIL=http needs it",
        ]

    def test_with_a_database_that_is_not_migrated(self, new_database: Callable[[], TestDatabase]) -> None:
        with pytest.raises(SystemExit, match="is not migrated; run `alembic upgrade head` as its owner"):
            refuse_start_without_database(settings_for(new_database()))

    def test_with_a_database_that_lacks_migrations(
        self, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("settlement.database_state.HEAD_REVISION", "0005")
        with pytest.raises(SystemExit, match="lacks migrations; run `alembic upgrade head` as its owner"):
            refuse_start_without_database(settings_for(database))

    def test_with_a_database_of_another_profile(self, database: TestDatabase) -> None:
        with pytest.raises(SystemExit, match="was migrated for profile test, not sandbox"):
            refuse_start_without_database(settings_for(database, etebar_profile="sandbox"))

    def test_with_a_crash_point_outside_the_test_profile(self, database: TestDatabase) -> None:
        with pytest.raises(SystemExit, match="CRASH_POINT_FILE is for ETEBAR_PROFILE=test only"):
            crash.configure(settings_for(database, etebar_profile="sandbox", crash_point_file="somewhere"))


class TestShutdown:
    def test_finishes_what_is_with_the_bank_and_writes_the_request_log(self, database: TestDatabase) -> None:
        body = withdrawal(account="IRTESTSLOW1")
        with process(database.environ(SANDBOX_SLOW_SECONDS="1", WITHDRAW_DEADLINE_MS="100")) as service:
            service.wait_until_serving()
            answer = service.client.post(WITHDRAW, json=body)
            assert answer.json()["state"] == "pending"
            service.popen.send_signal(signal.SIGTERM)
            said, _ = service.popen.communicate(timeout=20)
            assert "Application shutdown complete" in said
        with process(database.environ()) as next_one:
            next_one.wait_until_serving()
            assert next_one.client.get(f"{PAYOUTS}/{body['withdrawal_id']}").json()["state"] == "paid"

    def test_abandons_what_outlasts_the_grace_as_pending(self, database: TestDatabase) -> None:
        body = withdrawal(account="IRTESTSLOW1")
        with process(
            database.environ(SANDBOX_SLOW_SECONDS="30", WITHDRAW_DEADLINE_MS="100", SHUTDOWN_GRACE_SECONDS="0.2")
        ) as service:
            service.wait_until_serving()
            assert service.client.post(WITHDRAW, json=body).json()["state"] == "pending"
            service.popen.send_signal(signal.SIGTERM)
            said, _ = service.popen.communicate(timeout=10)
        assert "1 payouts were still with the rail at shutdown and stay pending" in said
        assert "Traceback" not in said


class TestAClientThatHangsUp:
    def test_does_not_stop_its_payout(self, database: TestDatabase) -> None:
        body = withdrawal(account="IRTESTSLOW1")
        with process(database.environ(SANDBOX_SLOW_SECONDS="0.5")) as service:
            service.wait_until_serving()

            def ask_and_hang_up() -> None:
                with pytest.raises(Exception, match="timed out"):
                    service.client.post(WITHDRAW, json=body, timeout=0.2)

            def paid_state() -> str:
                state: str = service.client.get(f"{PAYOUTS}/{body['withdrawal_id']}").json()["state"]
                return state

            asking = threading.Thread(target=ask_and_hang_up)
            asking.start()
            asking.join()
            deadline = time.monotonic() + 10
            while (state := paid_state()) != "paid" and time.monotonic() < deadline:
                time.sleep(0.05)
            assert state == "paid"


class TestTheLogs:
    def test_are_json_lines_with_the_request_id_and_no_secret(self, database: TestDatabase) -> None:
        with process(database.environ()) as service:
            service.wait_until_serving()
            body = withdrawal(account="IRTESTTIMEOUT77777")
            service.client.post(WITHDRAW, json=body, headers={"X-Request-ID": "request-77"})
            service.popen.terminate()
            said, _ = service.popen.communicate(timeout=20)
        lines = [json.loads(line) for line in said.splitlines()]
        [line] = [line for line in lines if line["message"] == "request"]
        assert (line["request_id"], line["status"], line["path"]) == ("request-77", 202, WITHDRAW)
        assert line["withdrawal_id"] == body["withdrawal_id"]
        assert any("outcome unknown" in line["message"] and line["request_id"] == "request-77" for line in lines)
        assert "token-" not in said
        assert "IRTESTTIMEOUT77777" not in said


class TestTheCallersAddress:
    async def test_is_the_connections_whatever_the_headers_say(self, database: TestDatabase) -> None:
        request_id = uuid4().hex
        with process(database.environ()) as service:
            service.wait_until_serving()
            service.client.get(PAYOUTS, headers={"X-Request-ID": request_id, "X-Forwarded-For": "203.0.113.9"})
            service.popen.terminate()
            service.popen.communicate(timeout=20)
        [row] = await database.rows("SELECT remote_address FROM request_log WHERE request_id = $1", request_id)
        assert row["remote_address"] == "127.0.0.1"

    def test_is_so_in_the_quick_start_too(self, database: TestDatabase, tmp_path: Path) -> None:
        started = program("settlement", database.servers.environments, tmp_path, {})
        assert "--no-proxy-headers" in started.arguments
