"""Every address, tried by every role, on the servers as they run; an address without a row is an error.

The addresses are read from Django's URL resolvers and from settlement's app, so that none can be forgotten.
"""

import itertools
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from etebar_common.environment import load
from settlement.main import build_app
from settlement.settings import SERVICE, Settings

from . import authorization_matrix as matrix
from . import books, internal_api
from .authorization_matrix import ROLES, SETTLEMENTS_ROLES, Row
from .commands import shell
from .internal_api import InternalApi
from .platform import Platform, databases
from .test_decided_outcomes import DOWN, left_unknown
from .test_internal_api import merchant_object
from .waiting import wait_until

# DRF and Django answer these for every view, and change nothing
SAFE_FOR_ALL = {"HEAD", "OPTIONS"}


def routes_of(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[set[str], str]]:
    """Each address's methods (GET alone where a view does not say) and its template."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes_of(pattern.url_patterns, route)
        else:
            view = getattr(pattern.callback, "cls", None)
            methods = {name for name in ("GET", "POST", "PUT", "PATCH", "DELETE") if hasattr(view, name.lower())}
            yield methods or {"GET"}, route


def addresses_of_django(urls: str) -> set[tuple[str, str]]:
    return {(method, route) for methods, route in routes_of(get_resolver(urls).url_patterns) for method in methods}


def flattened(routes: Iterable[Any]) -> Iterator[Any]:
    """An app's routes and, as FastAPI keeps them as routers within it, those of what it includes."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else flattened(router.routes)


def addresses_of_settlement(platform: Platform) -> set[tuple[str, str]]:
    settings = load(Settings, SERVICE, platform.stack.environments.settlement())
    return {
        (method, route.path.removeprefix("/"))
        for route in flattened(build_app(settings).routes)
        for method in route.methods - SAFE_FOR_ALL
    }


@dataclass(frozen=True)
class Callers:
    """What each role sends with a request; `sessions` of the admin are cookies."""

    headers: dict[str, dict[str, str]]
    sessions: dict[str, dict[str, str]] = field(repr=False)
    objects: dict[str, str]

    def path(self, row: Row) -> str:
        """The row's path with the objects that are there."""
        named = re.sub(r"\{([a-z/]+)\}", lambda found: self.objects[found[1]], row.sent)
        return f"/{named}"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """Its own: settlement's books are cleared by the last row."""
    with (
        databases() as stack,
        Platform.started(stack, core={"CREDIT_LIMIT_APPROVAL_THRESHOLD": "500.00"}) as started,
    ):
        yield started


@pytest.fixture(scope="module")
def internal(platform: Platform) -> Iterator[InternalApi]:
    with internal_api.serving(platform.stack) as api:
        yield api


def admins_session(platform: Platform, username: str, password: str) -> dict[str, str]:
    """Signs in at the admin's form, as a browser does."""
    with httpx2.Client(base_url=platform.stack.environments.core_url, trust_env=False) as browser:
        browser.get("/admin/login/")
        form = {"username": username, "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        answer = browser.post("/admin/login/?next=/admin/", data=form)
        assert answer.status_code == 302, answer.text
        return dict(browser.cookies)


def add_staff(platform: Platform) -> tuple[str, str]:
    """A member of staff, in the groups that are given unasked, and the password."""
    name = f"staff-{uuid.uuid4().hex[:8]}"
    made = shell(platform.stack, f"python manage.py staff add {name}")
    assert made.returncode == 0, made.stderr
    return name, made.stdout.split("its password is ")[1].strip()


def decide_by_two(platform: Platform) -> None:
    """A corrected pool, a decided outcome, and a bank statement whose one line is resolved."""
    api = platform.api
    second = api.sign_in(*add_staff(platform))

    def approved(path: str, body: dict[str, Any]) -> None:
        asked = api.must("POST", path, body, api.admin)
        api.must("POST", "/admin/approvals/approve", {"approval_id": asked["approval_id"]}, second)

    approved("/admin/pool/adjustments", {"amount": "1.00", "reason": "counted anew"})
    unknown = left_unknown(platform, api.merchant(account=DOWN), uuid.uuid4().hex)
    evidence = {"outcome": "refused", "evidence": "the bank's letter", "bank_reference": "12"}
    approved(f"/admin/withdrawals/{unknown}/outcome", evidence)
    line = "booked_on,bank_reference,reference,amount,account\n2026-01-31,b-1,nobody,1.00,\n"
    statement = api.must("POST", "/admin/bank-statements", {"content": line}, api.admin)["statement_id"]
    (line_id,) = books.query(platform.stack.dsn("wallet_app"), "SELECT id FROM payments_bankstatementline")[0]
    resolution = {"line_id": line_id, "reason": "a fee"}
    approved(f"/admin/bank-statements/{statement}/resolutions", resolution)


def some_rows(platform: Platform, internal: InternalApi, merchant: Any) -> dict[str, str]:
    """An object of each table that the admin shows, by the table's name."""
    name = f"shop-{uuid.uuid4().hex[:8]}"
    assert internal.put(f"merchants/team-a/{name}", merchant_object(name)).status_code == 200
    raised = {"merchant_id": merchant.number, "credit_limit": "9000.00"}
    asked = platform.api.send("POST", "/admin/credit-limit", raised, platform.api.admin)
    assert asked.status_code == 202
    assert shell(platform.stack, "python manage.py verify_books").returncode == 0
    decide_by_two(platform)
    paid_back = {"merchant_id": merchant.number, "amount": "0.50", "reference": f"bank-{name}"}
    made = platform.api.must("POST", "/admin/repayments", paid_back, platform.api.admin)["repayment_id"]
    platform.api.must("POST", f"/admin/repayments/{made}/reverse", {"reason": "another's"}, platform.api.admin)
    platform.api.must("POST", "/api-keys", {"name": name, "scopes": ["withdrawals:read"]}, merchant.token)
    # nobody listens there: one attempt is made, and written down
    webhook = platform.api.must("POST", "/webhooks", {"url": "http://127.0.0.1:9/"}, merchant.token)["id"]
    platform.api.must("POST", f"/webhooks/{webhook}/test", {}, merchant.token)
    platform.stack.start("webhooks")

    def found(table: str) -> str | None:
        key = {"payments/outcomedecision": "approval_id"}.get(table, "id")
        # the tables' names are the matrix's
        statement = f"SELECT {key}::text FROM {table.replace('/', '_')} ORDER BY 1 LIMIT 1"  # noqa: S608
        rows = books.query(platform.stack.dsn("wallet_app"), statement)
        return str(rows[0][0]) if rows else None

    return {each: wait_until(f"{each} has a row", lambda each=each: found(each)) for each in matrix.ADMINS_TABLES}


@pytest.fixture(scope="module")
def callers(platform: Platform, internal: InternalApi) -> Callers:
    merchant, stranger = platform.api.merchant(), platform.api.merchant()
    key = uuid.uuid4().hex
    withdrawal = merchant.withdraw("1.00", key).json()["id"]
    name, password = add_staff(platform)
    root = platform.stack.environments.secrets.admin_password
    return Callers(
        headers={
            "nobody": {},
            "merchant": merchant.token,
            "stranger": stranger.token,
            "staff": platform.api.sign_in(name, password),
            "superuser": platform.api.admin,
            "operator": {"Authorization": f"Bearer {internal_api.TOKEN}"},
        },
        sessions={
            "staff": admins_session(platform, name, password),
            "superuser": admins_session(platform, "admin", root),
        },
        objects={
            "withdrawal": withdrawal,
            "merchant": str(merchant.number),
            "key": key,
            **some_rows(platform, internal, merchant),
        },
    )


def statuses(send: Callable[[str], httpx2.Response], roles: Iterable[str]) -> dict[str, int]:
    return {role: send(role).status_code for role in roles}


def expected(row: Row, roles: tuple[str, ...] = ROLES) -> dict[str, int]:
    return dict(zip(roles, row.statuses, strict=True))


def ids(row: Row) -> str:
    return f"{row.method} {row.route}"


def send_api(url: str, callers: Callers, row: Row, role: str) -> httpx2.Response:
    body = None if row.method == "GET" else {}
    # without a key a withdrawal is refused before its body is looked at
    headers = {**callers.headers[role], "Idempotency-Key": uuid.uuid4().hex}
    return httpx2.request(row.method, url + callers.path(row), json=body, headers=headers, trust_env=False)


def send_admin(url: str, callers: Callers, row: Row, role: str) -> httpx2.Response:
    cookies = callers.sessions.get(role, {})
    headers = {} if cookies else callers.headers[role]
    with httpx2.Client(base_url=url, cookies=cookies, headers=headers, trust_env=False, timeout=20) as browser:
        if row.method == "GET":
            return browser.get(callers.path(row))
        if "csrftoken" not in browser.cookies:
            browser.get("/admin/login/")
        form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "post": "yes"}
        return browser.post(callers.path(row), data=form)


class TestEveryAddressHasARow:
    def test_of_cores_public_listener(self) -> None:
        # a POST to the admin's pages is Django's affair: its views do not say which methods they take
        rows = {row.key for row in (*matrix.PUBLIC_API, *matrix.ADMIN)}
        posts = {row.key for row in matrix.ADMIN if row.method == "POST"}
        admins = {(method, route) for method, route in addresses_of_django("core.urls") if route.startswith("admin/")}
        other = addresses_of_django("core.urls") - admins
        assert rows - posts == other | {("GET", route) for _, route in admins}

    def test_of_cores_internal_listener(self) -> None:
        assert {row.key for row in matrix.INTERNAL} == addresses_of_django("core.internal_urls")

    def test_of_settlement(self, platform: Platform) -> None:
        assert {row.key for row in matrix.SETTLEMENT} == addresses_of_settlement(platform)

    def test_and_no_row_comes_twice(self) -> None:
        for rows in (matrix.PUBLIC_API + matrix.ADMIN, matrix.INTERNAL, matrix.SETTLEMENT):
            assert len({row.key for row in rows}) == len(rows)


class TestCore:
    @pytest.mark.parametrize("row", matrix.PUBLIC_API, ids=ids)
    def test_answers_each_role_as_the_matrix_says(self, platform: Platform, callers: Callers, row: Row) -> None:
        url = platform.stack.environments.core_url
        assert statuses(lambda role: send_api(url, callers, row, role), ROLES) == expected(row)

    @pytest.mark.parametrize("row", matrix.ADMIN, ids=ids)
    def test_shows_the_admin_as_the_matrix_says(self, platform: Platform, callers: Callers, row: Row) -> None:
        url = platform.stack.environments.core_url
        assert statuses(lambda role: send_admin(url, callers, row, role), ROLES) == expected(row)

    @pytest.mark.parametrize("row", matrix.INTERNAL, ids=ids)
    def test_lets_only_the_operator_into_its_internal_listener(
        self, internal: InternalApi, callers: Callers, row: Row
    ) -> None:
        assert statuses(lambda role: send_api(internal.url, callers, row, role), ROLES) == expected(row)

    def test_takes_no_session_for_a_token(self, platform: Platform, callers: Callers) -> None:
        url = f"{platform.stack.environments.core_url}/api/v1/admin/pool"
        assert httpx2.get(url, cookies=callers.sessions["superuser"], trust_env=False).status_code == 401


class TestSettlement:
    @pytest.mark.parametrize("row", matrix.SETTLEMENT, ids=ids)
    def test_answers_core_alone(self, platform: Platform, callers: Callers, row: Row) -> None:
        environments = platform.stack.environments
        core = environments.secrets.internal_token
        tokens = {
            "nobody": {},
            "operator": {"X-Internal-Token": internal_api.TOKEN},
            "core": {"X-Internal-Token": core},
        }

        def send(role: str) -> httpx2.Response:
            path = environments.settlement_url + callers.path(row)
            body = None if row.method == "GET" else {}
            return httpx2.request(row.method, path, json=body, headers=tokens[role], trust_env=False)

        assert statuses(send, SETTLEMENTS_ROLES) == expected(row, SETTLEMENTS_ROLES)


def test_the_roles_are_told_apart(callers: Callers) -> None:
    """Two roles with the same credentials would make rows that say nothing."""
    pairs = itertools.combinations(callers.headers.values(), 2)
    assert all(one != other for one, other in pairs)
