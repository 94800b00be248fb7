"""What an error tells: a code and a request's id, and nothing of the settings or the code."""

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pydantic import SecretStr

from core.admin_site import LogInForm
from core.environment import ENVIRONMENT
from payments.merchants import api
from payments.tests.factories import make_merchant, merchant_client

pytestmark = pytest.mark.usefixtures("books")


def secrets() -> list[str]:
    values = [getattr(ENVIRONMENT, name) for name in type(ENVIRONMENT).model_fields]
    texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    return [text for text in texts if text] + [ENVIRONMENT.redis_url]


def test_an_error_inside_tells_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(f"the key is {ENVIRONMENT.secret_key.get_secret_value()}")

    monkeypatch.setattr(api, "merchant_get", broken)
    answer = merchant_client(make_merchant()).get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "detail" not in answer.json()
    assert not [each for each in (*secrets(), "RuntimeError", "broken") if each in answer.content.decode()]


def test_an_error_of_a_page_tells_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"the key is {ENVIRONMENT.secret_key.get_secret_value()}")

    monkeypatch.setattr(LogInForm, "__init__", broken)
    answer = Client(raise_request_exception=False).get("/admin/login/")
    assert answer.status_code == 500
    assert not [each for each in (*secrets(), "Traceback", "RuntimeError") if each in answer.content.decode()]


def test_settings_do_not_say_their_secrets() -> None:
    assert len(secrets()) >= 6
    said = repr(ENVIRONMENT) + str(ENVIRONMENT)
    assert not [each for each in secrets() if each in said]


def test_debug_is_off_unless_it_is_asked_for() -> None:
    assert not django_settings.DEBUG
    assert not type(ENVIRONMENT).model_fields["debug"].default
