"""Core's internal API as it is served: a listener of its own, which knows nothing else."""

import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from etebar_quickstart import paths
from etebar_quickstart.ports import free_port

from . import books, internal_api
from .internal_api import InternalApi
from .platform import Platform
from .waiting import wait_until


@pytest.fixture(scope="module")
def internal(session_platform: Platform) -> Iterator[InternalApi]:
    session_platform.revive()
    with internal_api.serving(session_platform.stack) as api:
        yield api


def merchant_object(username: str, **fields: Any) -> dict[str, Any]:
    """What the operator sends of an object."""
    return {
        "uid": str(uuid.uuid4()),
        "created_at": "2026-01-01T00:00:00Z",
        "generation": 1,
        "username": username,
        "bank_account": "IRTEST0000000000001",
        "requested_credit": "100.00",
        "credit_limit": "100.00",
        "approved": True,
        "suspended": False,
        "password": uuid.uuid4().hex,
        "credentials_version": 1,
        "drift_policy": "correct",
        "deletion": None,
        **fields,
    }


class TestTheListener:
    def test_makes_a_merchant_that_withdraws_through_the_public_one(
        self, platform: Platform, internal: InternalApi
    ) -> None:
        name = f"shop-{uuid.uuid4().hex[:8]}"
        wish = merchant_object(name)
        answer = internal.put(f"merchants/team-a/{name}", wish)
        assert (answer.status_code, answer.json()["state"]) == (200, "approved")
        token = platform.api.sign_in(name, wish["password"])
        withdrawn = platform.api.send(
            "POST", "/withdrawals", {"amount": "1.00"}, {**token, "Idempotency-Key": uuid.uuid4().hex}
        )
        assert withdrawn.status_code == 201
        path = f"/internal/v1/merchants/team-a/{name}"
        wait_until("the request is in the log", lambda: books.requests_of(platform.stack, path) == [200])

    def test_serves_nothing_else(self, internal: InternalApi) -> None:
        for path in ("/api/v1/me", "/admin/login/", "/api/docs", "/internal/v1/"):
            assert internal.http.get(path).status_code == 404

    def test_is_not_on_the_public_listener(self, platform: Platform, internal: InternalApi) -> None:
        url = f"{platform.stack.environments.core_url}/internal/v1/pool"
        assert httpx2.get(url, headers=internal.http.headers, trust_env=False).status_code == 404

    def test_does_not_start_without_a_token(self, platform: Platform) -> None:
        command = internal_api.command(free_port())
        environment = platform.stack.environments.core()
        ended = subprocess.run(command, cwd=paths.CORE, env=environment, capture_output=True, timeout=60, check=False)
        assert ended.returncode != 0
        assert b"OPERATOR_TOKEN is missing" in ended.stdout + ended.stderr
