"""What requests may be like, and what answers tell browsers: on core's and settlement's servers as they run."""

import socket
import time
from collections.abc import Iterator

import httpx2
import psutil
import pytest

from core.security_headers import HSTS_SECONDS, always
from etebar_common.environment import Profile

from .platform import Platform, databases

BODY_DEADLINE_SECONDS = 2.0
CREDENTIALS = b'{"username": "nobody", "password": "x"}'


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """With a short patience."""
    core = {"REQUEST_BODY_DEADLINE_SECONDS": str(BODY_DEADLINE_SECONDS)}
    with databases() as stack, Platform.started(stack, core=core) as started:
        yield started


@pytest.fixture
def core(platform: Platform) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=platform.stack.environments.core_url, trust_env=False, timeout=20) as client:
        yield client


def address(url: str) -> tuple[str, int]:
    parts = httpx2.URL(url)
    return str(parts.host), int(parts.port or 80)


def status_of(connection: socket.socket) -> int:
    """The status of what comes back; 0 when the server hangs up without a word."""
    line = connection.makefile("rb").readline()
    return int(line.split()[1]) if line else 0


def head(path: str, length: int, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


class TestHeaders:
    @pytest.mark.parametrize(
        "path", ["/healthz", "/api/v1/me", "/api/openapi.json", "/api/docs", "/admin/login/", "/nothing"]
    )
    def test_are_on_every_answer(self, core: httpx2.Client, path: str) -> None:
        headers = core.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "Server" not in headers or "/" not in headers["Server"]
        assert not [name for name in headers if name.lower().startswith("access-control-")]
        assert all(len(headers.get_list(name)) == 1 for name in ("X-Frame-Options", "Content-Security-Policy"))

    def test_let_an_answer_of_the_api_run_nothing_and_be_kept_nowhere(self, platform: Platform) -> None:
        merchant = platform.api.merchant()
        for answer in (merchant.withdraw(), platform.api.send("GET", "/me", headers=merchant.token)):
            assert answer.is_success
            assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
            assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize("path", ["/admin/login/", "/api/docs"])
    def test_let_pages_run_only_what_is_served_here(self, core: httpx2.Client, path: str) -> None:
        answer = core.get(path)
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
        # a script within the page would not run: there is none
        assert "<script>" not in answer.text
        assert "javascript:" not in answer.text

    def test_have_browsers_use_tls_where_money_is_real(self) -> None:
        production, sandbox = dict(always(Profile.PRODUCTION)), dict(always(Profile.SANDBOX))
        assert production[b"strict-transport-security"] == f"max-age={HSTS_SECONDS}".encode()
        assert b"strict-transport-security" not in sandbox


class TestOtherOrigins:
    def test_are_let_read_nothing(self, core: httpx2.Client) -> None:
        preflight = {
            "Origin": "https://evil.example.com",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        }
        for answer in (
            core.options("/api/v1/withdrawals", headers=preflight),
            core.get("/api/v1/me", headers={"Origin": "https://evil.example.com"}),
        ):
            assert answer.status_code == 401
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]

    def test_post_no_form_of_the_admins(self, core: httpx2.Client) -> None:
        form = {"username": "admin", "password": "x"}
        assert core.post("/admin/login/", data=form).status_code == 403
        core.get("/admin/login/")
        forged = {**form, "csrfmiddlewaretoken": core.cookies["csrftoken"]}
        headers = {"Origin": "https://evil.example.com"}
        assert core.post("/admin/login/", data=forged, headers=headers).status_code == 403

    def test_have_no_cookie_of_the_api_to_use(self, core: httpx2.Client) -> None:
        assert core.get("/api/v1/me", headers={"Cookie": "sessionid=x"}).status_code == 401
        assert "Set-Cookie" not in core.post("/api/v1/auth/token", content=CREDENTIALS).headers


class TestBodies:
    def test_that_are_too_large_are_refused_unread(self, platform: Platform) -> None:
        with socket.create_connection(address(platform.stack.environments.core_url), timeout=20) as connection:
            connection.sendall(head("/api/v1/auth/token", 10**9))
            assert status_of(connection) == 413

    def test_of_settlement_as_well(self, platform: Platform) -> None:
        token = platform.stack.environments.secrets.internal_token
        with socket.create_connection(address(platform.stack.environments.settlement_url), timeout=20) as connection:
            connection.sendall(head("/api/settlement/withdraw", 10**9, X_Internal_Token=token))
            assert status_of(connection) == 413

    def test_that_never_end_are_answered_408(self, platform: Platform) -> None:
        with socket.create_connection(address(platform.stack.environments.core_url), timeout=20) as connection:
            connection.sendall(head("/api/v1/auth/token", len(CREDENTIALS)) + CREDENTIALS[:5])
            started = time.monotonic()
            assert status_of(connection) == 408
            assert time.monotonic() - started == pytest.approx(BODY_DEADLINE_SECONDS, abs=3)

    def test_that_never_end_hold_no_other_request_up(self, platform: Platform) -> None:
        """More of them than core has threads."""
        merchant = platform.api.merchant()
        where = address(platform.stack.environments.core_url)
        slow = [socket.create_connection(where, timeout=20) for _ in range(64)]
        try:
            for connection in slow:
                connection.sendall(head("/api/v1/auth/token", len(CREDENTIALS)) + b"{")
            started = time.monotonic()
            assert merchant.withdraw().status_code == 201
            assert platform.api.send("GET", "/me", headers=merchant.token).status_code == 200
            assert time.monotonic() - started < BODY_DEADLINE_SECONDS
        finally:
            for connection in slow:
                connection.close()

    def test_of_half_a_header_hold_nobody_up(self, platform: Platform) -> None:
        merchant = platform.api.merchant()
        urls = (platform.stack.environments.core_url, platform.stack.environments.settlement_url)
        slow = [socket.create_connection(address(url), timeout=20) for url in urls for _ in range(64)]
        try:
            for connection in slow:
                connection.sendall(b"POST /api/v1/auth/token HTTP/1.1\r\nHost: local")
            assert merchant.withdraw().status_code == 201
        finally:
            for connection in slow:
                connection.close()

    @pytest.mark.parametrize("extra", [b"Transfer-Encoding: chunked\r\n", b"Content-Length: 7\r\n"])
    def test_of_two_lengths_are_no_second_request(self, platform: Platform, extra: bytes) -> None:
        """Request smuggling: what stands after the first length must not be taken for a request of its own."""
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        first = head("/api/v1/auth/token", 5).replace(b"\r\n\r\n", b"\r\n" + extra + b"\r\n", 1)
        with socket.create_connection(address(platform.stack.environments.core_url), timeout=20) as connection:
            connection.sendall(first + b"0\r\n\r\n" + smuggled)
            answered = connection.makefile("rb").read()
        # refused or hung up on, and the connection is over: nothing after it was read as a request
        assert answered == b"" or answered.startswith(b"HTTP/1.1 400 ")
        assert answered.count(b"HTTP/1.1 ") <= 1


class TestSecrets:
    def test_are_on_no_command_line(self, platform: Platform) -> None:
        secrets = [value for value in vars(platform.stack.environments.secrets).values() if len(value) >= 16]
        lines = [
            " ".join(psutil.Process(pid).cmdline())
            for name in ("core", "worker", "beat", "settlement")
            for pid in platform.processes_of(name)
        ]
        assert len(lines) >= 4
        assert not [line for line in lines for secret in secrets if secret in line]

    def test_are_in_no_log(self, platform: Platform) -> None:
        name = platform.api.send("POST", "/auth/token", {"username": "nobody", "password": "sesame-" + "x" * 20})
        assert name.status_code == 401
        secrets = [value for value in vars(platform.stack.environments.secrets).values() if len(value) >= 16]
        logs = [path.read_text(errors="replace") for path in (platform.stack.state.path / "logs").glob("*")]
        assert sum(map(len, logs)) > 0
        assert not [one for one in (*secrets, "sesame-xxxx") if any(one in text for text in logs)]
