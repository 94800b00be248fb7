"""The operator's side of core's internal API, for tests."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr
from rest_framework.test import APIClient

from core.environment import ENVIRONMENT
from payments.onboarding import authentication

TOKEN, NEXT_TOKEN = "operator-token-" + "x" * 32, "operator-token-" + "y" * 32
CREATED_AT = "2026-01-01T00:00:00Z"
OBJECT: Mapping[str, Any] = {
    "uid": "11111111-1111-1111-1111-111111111111",
    "created_at": CREATED_AT,
    "generation": 1,
    "username": "shop-1",
    "bank_account": "IRTEST0000000000001",
    "requested_credit": "1000.00",
    "credit_limit": "1000.00",
    "approved": True,
    "suspended": False,
    "password": "a-password-of-24-letters",
    "credentials_version": 1,
    "drift_policy": "correct",
    "deletion": None,
}


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> APIClient:
    """A client with the operator's token."""
    accept(monkeypatch, TOKEN)
    return client(TOKEN)


def accept(monkeypatch: pytest.MonkeyPatch, token: str, following: str | None = None) -> None:
    """Sets the tokens that core accepts."""
    tokens = {"operator_token": SecretStr(token), "operator_token_next": SecretStr(following) if following else None}
    monkeypatch.setattr(authentication, "ENVIRONMENT", ENVIRONMENT.model_copy(update=tokens))


def client(token: str) -> APIClient:
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return made


def put(operator: APIClient, path: str = "team-a/shop-1", **fields: Any) -> Any:
    """What core answers to an object that differs from OBJECT in `fields`."""
    if fields.get("password", "") is None:
        fields = {"credentials_version": None, **fields}
    return operator.put(f"/internal/v1/merchants/{path}", {**OBJECT, **fields}, format="json")


def kept(operator: APIClient, path: str = "team-a/shop-1", **fields: Any) -> dict[str, Any]:
    """The members of that answer, which is 200."""
    answer = put(operator, path, **fields)
    assert answer.status_code == 200, answer.content
    members: dict[str, Any] = answer.json()
    return members
