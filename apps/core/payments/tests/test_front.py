"""The event loop answers plain requests to withdraw exactly as Django's middleware and view do."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings

from core.bridge import Send, call, environ_of, send_response
from payments.models import ApiRequestLog, Withdrawal
from payments.request_log.writer import writer
from payments.tests.factories import fund_pool, make_merchant, make_staff, unique_name
from payments.tokens.authentication import access_token_for
from payments.withdrawals import pipeline as pipeline_module
from payments.withdrawals.front import PATH

pytestmark = pytest.mark.usefixtures("books")


@dataclass(frozen=True)
class Sent:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def application(books: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # importing it looks into the database
    from core import asgi

    with ThreadPoolExecutor(1) as threads:
        monkeypatch.setattr(asgi, "_threads", threads)
        yield asgi
        threads.submit(lambda: connection.close()).result()  # noqa: PLW0108 - that thread's connection


def scope_of(headers: Mapping[str, str], body: bytes, method: str = "POST", path: str = PATH) -> dict[str, Any]:
    given = {"host": "127.0.0.1", "content-length": str(len(body)), **headers}
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value],
    }


def receiver(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    """The body in two pieces."""
    pieces = [body[:5], body[5:]]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    return receive


async def collected(sending: Callable[[Send], Awaitable[None]]) -> Sent:
    """What is sent by what is given a way to send."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await sending(send)
    start, end = messages
    headers = {name.decode().title(): value.decode() for name, value in start["headers"]}
    return Sent(start["status"], headers, end["body"])


async def ask(application: Any, scope: dict[str, Any], body: bytes) -> Sent:
    return await collected(lambda send: application.application(scope, receiver(body), send))


def through_asgi(application: Any, headers: Mapping[str, str], body: bytes, **kind: str) -> Sent:
    return asyncio.run(ask(application, scope_of(headers, body, **kind), body))


def through_django(application: Any, headers: Mapping[str, str], body: bytes) -> Sent:
    """As if the event loop took no request itself."""
    environ = asyncio.run(environ_of(scope_of(headers, body), receiver(body)))
    answer = call(application.django, environ)
    return asyncio.run(collected(lambda send: send_response(send, *answer)))


@pytest.fixture
def token() -> str:
    fund_pool()
    merchant = make_merchant()
    return str(access_token_for(merchant.user, merchant.pk, timedelta(minutes=5)))


def plain(token: str, **changes: str) -> dict[str, str]:
    return {
        "authorization": f"Bearer {token}",
        "content-type": "application/json",
        "idempotency-key": unique_name("front-"),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }


BODY = b'{"amount": "1.00"}'

REQUESTS: dict[str, tuple[dict[str, str], bytes]] = {
    "plain": ({}, BODY),
    "with a request id": ({"x_request_id": "abc"}, BODY),
    "with a bad request id": ({"x_request_id": "a b"}, BODY),
    "with Accept": ({"accept": "application/json"}, BODY),
    "that accepts only XML": ({"accept": "text/xml"}, BODY),
    "with a charset": ({"content_type": "application/json; charset=utf-8"}, BODY),
    "in lower case": ({"content_type": "APPLICATION/JSON"}, BODY),
    "of another media type": ({"content_type": "text/plain"}, BODY),
    "answered at once": ({"prefer": "respond-async"}, BODY),
    "for more than the limit": ({}, b'{"amount": "100000.00"}'),
    "for a wrong amount": ({}, b'{"amount": "1.005"}'),
    "for a number": ({}, b'{"amount": 1}'),
    "with an unknown member": ({}, b'{"amount": "1.00", "to": "me"}'),
    "with a repeated member": ({}, b'{"amount": "1.00", "amount": "2.00"}'),
    "with an escaped surrogate": ({}, b'{"amount": "\\ud800"}'),
    "with a list": ({}, b'["amount"]'),
    "with half a body": ({}, b'{"amount"'),
    "with no body": ({}, b""),
    "without a key": ({"idempotency_key": ""}, BODY),
    "with a bad key": ({"idempotency_key": '"open'}, BODY),
    "without a token": ({"authorization": ""}, BODY),
    "with a bad token": ({"authorization": "Bearer x"}, BODY),
    "with another scheme": ({"authorization": "Basic x"}, BODY),
    "to another host": ({"host": "elsewhere.example"}, BODY),
    "without a length": ({"content_length": "", "transfer_encoding": "chunked"}, BODY),
    "with a wrong length": ({"content_length": "5,5"}, BODY),
    "that is too long": ({}, BODY + b" " * 70_000),
}
VARY_BY_REQUEST = {"X-Request-Id", "Location", "Content-Length"}
# DRF names the other methods in each of its answers, which nobody asked for
NOT_COMPARED = {"Allow"}
VARYING_MEMBERS = {"id", "created_at", "finalized_at"}


def comparable(sent: Sent) -> tuple[int, dict[str, str], Any]:
    headers = {name: "" if name in VARY_BY_REQUEST else value for name, value in sent.headers.items()}
    headers = {name: value for name, value in headers.items() if name not in NOT_COMPARED}
    is_json = "json" in headers.get("Content-Type", "")
    body = sent.json() if is_json else sent.body
    return sent.status, headers, {k: v for k, v in body.items() if k not in VARYING_MEMBERS} if is_json else body


class TestARequest:
    @pytest.mark.parametrize("name", REQUESTS)
    def test_is_answered_the_same_either_way(self, application: Any, token: str, name: str) -> None:
        changes, body = REQUESTS[name]
        ways = [way(application, plain(token, **changes), body) for way in (through_asgi, through_django)]
        assert comparable(ways[0]) == comparable(ways[1])

    def test_of_staff_is_refused_either_way(self, application: Any) -> None:
        staff = str(access_token_for(make_staff(), None, timedelta(minutes=5)))
        ways = [way(application, plain(staff), BODY) for way in (through_asgi, through_django)]
        assert [way.status for way in ways] == [403, 403]
        assert comparable(ways[0]) == comparable(ways[1])

    def test_is_replayed_the_same_either_way(self, application: Any, token: str) -> None:
        headers = plain(token)
        first = through_asgi(application, headers, BODY)
        again, through_view = through_asgi(application, headers, BODY), through_django(application, headers, BODY)
        assert first.body == again.body == through_view.body
        assert again.headers["Idempotency-Replayed"] == through_view.headers["Idempotency-Replayed"] == "true"
        assert Withdrawal.objects.count() == 1

    def test_is_logged_once_with_what_was_answered(self, application: Any, token: str) -> None:
        through_asgi(application, plain(token, x_request_id="mine"), BODY)
        through_asgi(application, plain(token, x_request_id="refused"), b'{"amount": "100000.00"}')
        assert writer().flush()
        rows = ApiRequestLog.objects.filter(request_id__in=["mine", "refused"]).order_by("request_id")
        assert [(row.request_id, row.status, row.path) for row in rows] == [("mine", 201, PATH), ("refused", 409, PATH)]

    def test_over_its_limit_is_429(self, application: Any, token: str, limits: Any) -> None:
        limits(merchant="2/minute")
        answers = [through_asgi(application, plain(token), BODY) for _ in range(3)]
        assert [answer.status for answer in answers] == [201, 201, 429]
        assert "Retry-After" in answers[2].headers

    def test_without_a_database_is_503(self, application: Any, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise OperationalError("away")

        monkeypatch.setattr(pipeline_module, "reserve", fail)
        answer = through_asgi(application, plain(token), BODY)
        assert (answer.status, answer.json()["code"]) == (503, "database_unavailable")

    @override_settings(ALLOWED_HOSTS=["shop.example"])
    def test_is_checked_for_its_host(self, application: Any, token: str) -> None:
        assert through_asgi(application, plain(token), BODY).status == 400
        assert through_asgi(application, plain(token, host="shop.example"), BODY).status == 201


class TestManyAtOnce:
    def test_wait_on_one_thread_and_each_gets_its_own_answer(self, application: Any) -> None:
        fund_pool()
        tokens = []
        for number in range(100):
            account = "IRTESTSLOW0000000001" if number % 10 == 0 else "IRTEST0000000000001"
            merchant = make_merchant(account=account)
            tokens.append(str(access_token_for(merchant.user, merchant.pk, timedelta(minutes=5))))

        async def all_at_once() -> list[Sent]:
            bodies = [json.dumps({"amount": f"1.{number:02}"}).encode() for number in range(100)]
            requests = [
                ask(application, scope_of(plain(token), body), body) for token, body in zip(tokens, bodies, strict=True)
            ]
            return await asyncio.gather(*requests)

        answers = asyncio.run(all_at_once())
        assert {answer.status for answer in answers} <= {201, 202}
        assert [answer.json()["amount"] for answer in answers] == [f"1.{number:02}" for number in range(100)]
        assert all(answer.status == 201 for number, answer in enumerate(answers) if number % 10)

    def test_a_caller_that_hangs_up_leaves_nothing_held(self, application: Any, token: str) -> None:
        async def hang_up() -> None:
            requests = [asyncio.create_task(ask(application, scope_of(plain(token), BODY), BODY)) for _ in range(20)]
            await asyncio.sleep(0.01)
            for request in requests:
                request.cancel()
            await asyncio.gather(*requests, return_exceptions=True)

        asyncio.run(hang_up())
        started = time.monotonic()
        assert through_asgi(application, plain(token), BODY).status == 201
        assert time.monotonic() - started < 3


class TestHalfARequest:
    @pytest.mark.parametrize("sent", [b'{"amount": "1.00"}', b'{"amount"'])
    def test_is_none_even_if_it_can_be_read(self, application: Any, token: str, sent: bytes) -> None:
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": sent, "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(_: dict[str, Any]) -> None:
            raise AssertionError("an answer to half a request")

        scope = scope_of(plain(token, content_length="40"), sent)
        asyncio.run(application.application(scope, receive, send))
        assert not Withdrawal.objects.exists()


class TestOtherRequests:
    def test_the_probe_of_life_needs_no_thread(self, application: Any) -> None:
        with ThreadPoolExecutor(1) as threads:
            application._threads = threads
            release = threading.Event()
            threads.submit(release.wait, 10)
            answer = through_asgi(application, {}, b"", method="GET", path="/healthz")
            release.set()
        assert (answer.status, answer.json()) == (200, {"status": "ok"})

    def test_are_djangos(self, application: Any, token: str) -> None:
        listed = through_asgi(application, plain(token), b"", method="GET")
        assert (listed.status, listed.json()["results"]) == (200, [])
        missing = through_asgi(application, plain(token), b"", method="GET", path="/nowhere")
        assert missing.status == 404

    def test_of_other_kinds_are_refused(self, application: Any) -> None:
        with pytest.raises(ValueError, match="only HTTP"):
            asyncio.run(application.application({"type": "websocket"}, None, None))

    def test_cannot_smuggle_a_header_past_a_proxy(self) -> None:
        scope = scope_of({"x_forwarded_for": "1.2.3.4", "accept": "a"}, b"")
        environ = asyncio.run(environ_of(scope, receiver(b"")))
        assert "HTTP_X_FORWARDED_FOR" not in environ
        assert environ["HTTP_ACCEPT"] == "a"
